// What each field of the form and each control beside the pictures of a run does.

import { explainAll } from "../common/explain.js";

const MEANINGS = {
  data: "What the network learns from. The recipes below are those that suit these data.",
  minutes: "How long it trains. Empty: as long as the recipe says, or a quarter of an hour for your own pictures.",
  images: "How many samples it trains on, counted each time one is used. Empty: as many as the recipe says.",
  seed: "Fixes the first weights, the order of the data and the noise. The same seed gives the same training on a processor.",
  from: "The weights at the start. A recipe begins with new weights, or with weights that come with it. Those of a model of "
    + "this recipe save time on new data; its settings and its length are taken over, too.",
  keep: "A branch is a new run that begins at such a checkpoint. Without it only the newest ones are kept.",
  measure: "A distance between samples and pictures it never trained on, beside that of real pictures. It takes some time.",
  extra: "Settings of the recipe that have no field of their own. Those that are given here win.",
  scrub: "The pictures of this run, from its first to its newest. All are made from the same noise.",
  film: "Shows all pictures of the run, one after the other.",
  newest: "Shows each picture as soon as it is there.",
  other: "The run to compare with: one that makes samples of the same kind.",
  samples: "More samples give narrower intervals, and take longer.",
  contest: "Measures samples of both runs against data that neither was trained on.",
};

export const explainForm = () => explainAll(MEANINGS);
