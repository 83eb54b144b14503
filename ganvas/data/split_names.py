"""Which names of folders mean a training or a test split, in the spellings and the languages that data sets come in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from ganvas.utils.parsing import compose

TRAIN_FOLDERS = ("train", "training")
TEST_FOLDERS = ("test", "testing", "eval", "val", "valid", "validation", "dev")  # in order of preference
_WORDS = "|".join((*TRAIN_FOLDERS, *TEST_FOLDERS))
DOMAIN = re.compile(rf"({_WORDS})[-_ ]?([ab])")  # trainA, testB: two domains without pairs (arXiv:1703.10593)
LIKE_A_SPLIT = re.compile(rf"({_WORDS})([^a-z].*)?")  # train, val2017, test-images
TRAIN_WORDS = frozenset(
    [
        "train",
        "training",
        "trainset",
        "trainingset",
        "traindata",
        "trn",
        "trainings",
        "trainingsdaten",
        "trainingsset",
        "lerndaten",
        "entrainement",
        "entraînement",
        "apprentissage",
        "entrenamiento",
        "addestramento",
        "treino",
        "treinamento",
        "träning",
        "opleiding",
        "обучение",
        "тренировка",
        "训练",
        "训练集",
        "訓練",
        "訓練集",
        "学習",
        "훈련",
        "학습",
    ]
)
TEST_WORDS = (  # in order of preference
    *[
        "test",
        "tests",
        "testing",
        "testset",
        "testdata",
        "tst",
        "testdaten",
        "prueba",
        "pruebas",
        "teste",
        "testes",
        "prova",
        "prove",
        "тест",
        "测试",
        "测试集",
        "測試",
        "測試集",
        "テスト",
        "테스트",
        "eval",
        "evaluation",
        "val",
        "valid",
        "validation",
        "valset",
        "validset",
        "validationset",
        "vld",
        "validierung",
        "validierungsdaten",
        "validacion",
        "validación",
        "validação",
        "validacao",
        "validazione",
        "проверка",
        "验证",
        "验证集",
        "驗證",
        "検証",
        "검증",
        "dev",
        "devset",
        "holdout",
    ],
)
FILLERS = frozenset(
    [
        "set",
        "data",
        "dataset",
        "images",
        "image",
        "imgs",
        "img",
        "pictures",
        "pics",
        "photos",
        "samples",
        "examples",
        "split",
        "files",
        "folder",
    ]
)


class SplitName(NamedTuple):
    """What the name of a folder says about its split."""

    train: bool
    rank: int  # of a test split: the lowest is preferred
    rest: str  # the other words of the name, which are the same in the names of splits that belong together


def fold(name: str) -> str:
    """A name without regard to capitals and to the Unicode form."""
    return compose(name).casefold()


def read_split_name(name: str) -> SplitName | None:
    """The split that a folder is called like; None: none, or several."""
    folded = fold(name)
    if domain := DOMAIN.fullmatch(folded):
        words = [domain[1], domain[2]]
    else:
        folded = re.sub(r"(hold|held)[-_ ]out", "holdout", folded)
        words = re.findall(r"[^\W\d_]+|\d+", folded)
    splits = [word for word in words if word in TRAIN_WORDS or word in TEST_WORDS]
    if len(splits) != 1:
        return None
    rest = [word for word in words if word != splits[0] and word not in FILLERS]
    if rest and rest[0].isdigit() and words[0] == rest[0] and len(words) > 1:  # 01_train, 02_test
        rest = rest[1:]
    train = splits[0] in TRAIN_WORDS
    return SplitName(train, 0 if train else TEST_WORDS.index(splits[0]), " ".join(word for word in rest if not _is_year(word)))


def name_splits(folders: Iterable[str]) -> tuple[list[str], list[str]]:
    """The folders that are called like a training split, and like its test split, the preferred one first.

    `train` and `training` win over other spellings, and names without other words over names with them.
    """
    found = {name: split for name in sorted(folders) if name and (split := read_split_name(name))}
    trains = [name for name, split in found.items() if split.train]
    trains = [name for name in trains if is_usual(name)] or trains
    rests = {found[name].rest for name in trains}
    if len(rests) > 1:
        if "" not in rests:
            return [], []
        rests = {""}
        trains = [name for name in trains if not found[name].rest]
    tests = [name for name, split in found.items() if not split.train and (not trains or split.rest in rests)]
    return trains, sorted(tests, key=lambda name: (found[name].rank, not is_usual(name), name))


def is_usual(name: str) -> bool:
    """Whether a folder has one of the names of splits that need no word of explanation."""
    return fold(name) in (*TRAIN_FOLDERS, *TEST_FOLDERS)


def _is_year(word: str) -> bool:
    """Whether a word is the year of a data set, as in train2014 and val2017."""
    return len(word) == 4 and word.isdigit()
