// How results of the search are ordered: the defaults of Sphinx, but pages for those who build ganvas come after those that explain.
const LATER = ["CHANGELOG", "CONTRIBUTING", "docs/architecture", "docs/benchmarks", "docs/reliability"];

var Scorer = {
  score: ([page, , , , score]) => (LATER.includes(page) ? score - 3 : score),
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
