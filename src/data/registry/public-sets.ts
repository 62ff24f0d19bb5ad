// Public data sets by name: what each measures, under which licence, and from which commit of which repository it comes. Facts
// only; no text is part of Kinglet. How a set is made of its repository's files is in recipes.ts.

/** A set that anyone may fetch, the same bytes for all. */
export interface PublicSet {
  readonly name: string
  /** What it is. */
  readonly title: string
  /** What a result on it says. */
  readonly measures: string
  readonly licence: string
  /** The page it comes from, for people. */
  readonly origin: string
  /** `OWNER/NAME` at GitHub, and the commit whose files are taken. */
  readonly repository: string
  readonly commit: string
  /** What goes over the wire: each file by its own address and hash, or the commit's archive. */
  readonly download: "files" | "archive"
  /** Bytes of all files; of an archive, whose packing varies, about. */
  readonly downloadBytes: number
  /** Where it lies below the data folder. */
  readonly file: string
  /** Size and SHA-256 of the file's text: for `.gz` of what is inside, since packing varies. */
  readonly bytes: number
  readonly sha256: string
  /** What a user should know before she compares with published numbers. */
  readonly facts: string
}

const ELTEC_LICENCE = "text public domain, markup CC BY 4.0"

/** The sets in the order of a first acquaintance. */
export const publicSets: readonly PublicSet[] = [
  {
    name: "tiny-shakespeare",
    title: "40,000 lines of Shakespeare",
    measures: "character-level training, the common benchmark",
    licence: "public domain",
    origin: "https://github.com/karpathy/char-rnn",
    repository: "karpathy/char-rnn",
    commit: "6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e",
    download: "files",
    downloadBytes: 1_115_394,
    file: "tiny-shakespeare.txt",
    bytes: 1_115_394,
    sha256: "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
    facts: "65 distinct characters; the first 1,003,854 train, the last 111,540 are held out",
  },
  {
    name: "names",
    title: "32,033 first names",
    measures: "exactness, since counting has a closed form",
    licence: "MIT",
    origin: "https://github.com/karpathy/makemore",
    repository: "karpathy/makemore",
    commit: "988aa59e4d8fefa526d06f3b453ad116258398d4",
    download: "files",
    downloadBytes: 228_145,
    file: "names.txt",
    bytes: 228_145,
    sha256: "0a30b5557f192f32ab962680889aac5f6fda0f4cecf40a6d0b5694f58ea8cc4d",
    facts:
      "228,146 bigrams over 27 symbols: 2.4540145 nats by maximum likelihood, 2.4545768 with one added to each count",
  },
  {
    name: "blimp",
    title: "67,000 pairs of sentences, right and wrong",
    measures: "grammar without training for it",
    licence: "CC BY 4.0",
    origin: "https://github.com/alexwarstadt/blimp",
    repository: "alexwarstadt/blimp",
    commit: "3e56b06fcabca9b30822fc66435fca6b1aa40bb1",
    download: "files",
    downloadBytes: 29_576_684,
    file: "blimp.jsonl.gz",
    bytes: 15_137_543,
    sha256: "d10bb549c0309ac6c41571c5149bd86c2ce6a10a2c4b75d2f4fb724a3babe325",
    facts:
      "67 paradigms of 1,000; published means: 5-gram 61.24, LSTM 69.81, GPT-2 83.02; the right sentence is to be the likelier one; never train on it",
  },
  {
    name: "eltec-eng",
    title: "36 English novels, 1840-1920, by 30 authors",
    measures: "pre-training on English prose",
    licence: ELTEC_LICENCE,
    origin: "https://github.com/COST-ELTeC/ELTeC-eng",
    repository: "COST-ELTeC/ELTeC-eng",
    commit: "3db3b6738a836f0e1b276b6c9703e42f4297f978",
    download: "files",
    downloadBytes: 31_832_320,
    file: "eltec-eng.jsonl.gz",
    bytes: 28_467_687,
    sha256: "ee6f4d31bc7ac0f8218bb748c27dc840e3d44ce8f95fd58d4fa81a06219a76f1",
    facts: "5.0 M words; a JSON line each: id, language, author, title, text; split it by author",
  },
  {
    name: "eltec-fra",
    title: "10 French novels, 1840-1920",
    measures: "adapting to another language",
    licence: ELTEC_LICENCE,
    origin: "https://github.com/COST-ELTeC/ELTeC-fra",
    repository: "COST-ELTeC/ELTeC-fra",
    commit: "83f0a43fdb967cd1db646027a1a237307e4924a1",
    download: "files",
    downloadBytes: 5_912_000,
    file: "eltec-fra.jsonl.gz",
    bytes: 5_508_049,
    sha256: "5306276fdd7373f1341a3b70b0ceb59e23fd48a893e5e0616620d826d2cf2c80",
    facts: "0.92 M words, as eltec-eng",
  },
  {
    name: "eltec-deu",
    title: "10 German novels, 1840-1920",
    measures: "adapting to another language",
    licence: ELTEC_LICENCE,
    origin: "https://github.com/COST-ELTeC/ELTeC-deu",
    repository: "COST-ELTeC/ELTeC-deu",
    commit: "d1eed488bd579ee95151b1a291a0056a90c36fa4",
    download: "files",
    downloadBytes: 8_740_234,
    file: "eltec-deu.jsonl.gz",
    bytes: 6_956_306,
    sha256: "defa9a779d5f8fa0f6b6ff2b1549b5ab71b63078cd449b6e317ba05413f8a38f",
    facts: "1.07 M words, as eltec-eng",
  },
  {
    name: "eltec-spa",
    title: "10 Spanish novels, 1840-1920",
    measures: "adapting to another language",
    licence: ELTEC_LICENCE,
    origin: "https://github.com/COST-ELTeC/ELTeC-spa",
    repository: "COST-ELTeC/ELTeC-spa",
    commit: "83e2a22d5ef66f96e59f47f7ef810358c4236322",
    download: "files",
    downloadBytes: 5_755_083,
    file: "eltec-spa.jsonl.gz",
    bytes: 5_279_809,
    sha256: "bd51305deffa986a759be510d673882d0945badd3277c40dce47c561d30fa7b2",
    facts: "0.88 M words, as eltec-eng",
  },
  {
    name: "code-python",
    title: "1,385 Python files, The Algorithms",
    measures: "adapting to code",
    licence: "MIT",
    origin: "https://github.com/TheAlgorithms/Python",
    repository: "TheAlgorithms/Python",
    commit: "f5988cc09713315817df6a7e327e258013a94440",
    download: "archive",
    downloadBytes: 3_700_000,
    file: "code-python.jsonl.gz",
    bytes: 3_858_860,
    sha256: "a699a89c9be87c5dc476f9aa9cf2eae55fa9bb68b00c838fec1ca15a7ac73c66",
    facts: "a JSON line each: id, language, text",
  },
  {
    name: "medquad",
    title: "5,497 medical questions with answers",
    measures: "adapting to a domain and to instructions",
    licence: "CC BY 4.0",
    origin: "https://github.com/abachaa/MedQuAD",
    repository: "abachaa/MedQuAD",
    commit: "577bd37b96c02d1833b2c9eed2de9f96964e96cb",
    download: "archive",
    downloadBytes: 7_300_000,
    file: "medquad.jsonl.gz",
    bytes: 7_923_302,
    sha256: "d19ffc9d9cfab65a66aa7c270631cb8df53d77fda5835e725f235cb829bacf3e",
    facts: "every third file of MedQuAD, answers of 40 characters and more; id, focus, type, question, answer",
  },
  {
    name: "chinchilla-epoch",
    title: "245 training runs, read off a figure of the Chinchilla paper",
    measures: "a scaling law's fit against a published one",
    licence: "none stated, for your own tests only",
    origin: "https://github.com/epoch-research/analyzing-chinchilla",
    repository: "epoch-research/analyzing-chinchilla",
    commit: "92258837425e1b5f2851d624287f0120583a3d0e",
    download: "files",
    downloadBytes: 23_224,
    file: "scaling-laws/chinchilla-epoch.csv",
    bytes: 23_224,
    sha256: "193478df4e90f040016431996c45682659306840ecdadf83cfb9cd5ca0aa1b30",
    facts: "without the 5 largest losses they are the 240 of the replication; tokens are FLOPs / (6 x parameters)",
  },
  {
    name: "gadre-104",
    title: "104 over-trained runs, 11 M to 6.9 B parameters",
    measures: "how far a scaling law extrapolates",
    licence: "MIT",
    origin: "https://github.com/mlfoundations/scaling",
    repository: "mlfoundations/scaling",
    commit: "a003c4913793ac2ae7ef87b28ecb562955d026d5",
    download: "archive",
    downloadBytes: 510_000,
    file: "scaling-laws/gadre-104.csv",
    bytes: 24_635,
    sha256: "a4d43dc0524c4683822f2854b6b5d73a60844f2c8d8139ca61d9eca074128860",
    facts: "N, Nne without embeddings, D; mult is tokens per parameter / 20",
  },
  {
    name: "muennighoff-182",
    title: "182 runs on repeated data",
    measures: "what repeated text is worth",
    licence: "Apache-2.0",
    origin: "https://github.com/huggingface/datablations",
    repository: "huggingface/datablations",
    commit: "13701315b163f1c54642b94ad237b2699187c3ee",
    download: "files",
    downloadBytes: 3_679_052,
    file: "scaling-laws/muennighoff-182.csv",
    bytes: 9_553,
    sha256: "a2f501dbbb259850a429c91296a20254e37abbb34ac1de161f902a4bcebc53fe",
    facts: "N parameters, D tokens seen, U of them unique",
  },
]

/** Address of a file of the set's repository, or of its archive, at the commit that is taken. */
export const sourceUrl = ({ repository, commit }: PublicSet, path?: string): string =>
  path === undefined
    ? `https://codeload.github.com/${repository}/tar.gz/${commit}`
    : `https://raw.githubusercontent.com/${repository}/${commit}/${path}`
