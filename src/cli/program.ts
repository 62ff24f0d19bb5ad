// Every command with its options and its help: what it is for, what to type, what comes next. Work is in commands/.
import { Argument, Command, Option } from "@commander-js/extra-typings"
import type { Terminal } from "#platform"
import { KINGLET_VERSION } from "../core/index.ts"
import { addCompare, addEvaluate, addReport } from "./evaluation-program.ts"
import {
  between,
  blasOption,
  checkpointOption,
  collect,
  type Door,
  deviceOption,
  duration,
  type Finish,
  jsonOption,
  quietOption,
  seedOption,
  setting,
  size,
  threadsOption,
  weightsOption,
  whole,
} from "./options.ts"
import { createOutput } from "./output.ts"

export function createProgram(terminal: Terminal, finish: Finish): Command {
  const program = new Command("kinglet")
  program
    .description("Text in, a trained small language model out, on the machine you have.")
    .version(KINGLET_VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print the help of a command")
    .exitOverride()
    .showSuggestionAfterError(true)
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text),
      getOutHelpWidth: () => Math.min(100, terminal.stdout.columns),
      getErrHelpWidth: () => Math.min(100, terminal.stderr.columns),
      outputError: (text, write) => write(usageError(text)),
    })
    .addHelpText("after", PROGRAM_HELP)
  const door: Door = { program, finish, output: (options) => createOutput(terminal, options) }
  for (const add of [
    addStart,
    addTrain,
    addGenerate,
    addChat,
    addEvaluate,
    addCompare,
    addReport,
    addResume,
    addTokenizer,
    addData,
    addBench,
    addDoctor,
  ])
    add(door)
  return program
}

const PROGRAM_HELP = `
Examples:
  $ kinglet start                             train on text that is already here, about two minutes
  $ kinglet train book.txt --budget 10m       train on a book of your own
  $ kinglet generate runs/book --prompt "It was"

A MODEL is a run folder (runs/NAME) or one of its checkpoints. "kinglet COMMAND --help" tells more.`

/** Two lines, like every other error: commander's sentence, then its suggestion or where to look. */
function usageError(text: string): string {
  const [sentence = "", suggestion] = text.trim().split("\n")
  const meant = /\(Did you mean (.*)\?\)/.exec(suggestion ?? "")?.[1]
  return `${sentence}\n  hint: ${meant === undefined ? "--help shows what can be given" : `did you mean ${meant}?`}\n`
}

// start

function addStart({ program, output, finish }: Door): void {
  program
    .command("start")
    .summary("train on text that is already here, judge it, show what to do next")
    .description(
      "Trains a small model in about two minutes, on the documentation inside this package's tools or on the paths given, then judges it on held-out text and shows what to type next.",
    )
    .argument("[paths...]", "text instead of the default one: .txt .md .jsonl .jsonl.gz, folders, globs, - for stdin")
    .addOption(new Option("--budget <time>", "wall clock for everything").argParser(duration).default(120, "2m"))
    .addOption(threadsOption())
    .addOption(blasOption())
    .addOption(jsonOption("one event a line"))
    .addOption(quietOption())
    .addHelpText("after", START_HELP)
    .action(async (paths, options) =>
      finish(await (await import("./commands/start.ts")).start(paths, options, output(options))),
    )
}

const START_HELP = `
Examples:
  $ kinglet start
  $ kinglet start stories/ --budget 5m

Next: kinglet generate runs/NAME --prompt "..."`

// train

function addTrain({ program, output, finish }: Door): void {
  program
    .command("train")
    .summary("train a model on your text")
    .description("Trains a language model on your text. Every number you do not give is derived and explained.")
    .argument("[paths...]", ".txt .md .jsonl .jsonl.gz files, folders, globs, - for standard input")
    .optionsGroup("How long:")
    .addOption(
      new Option("--budget <time>", "wall clock from Enter to prompt, such as 90s, 10m, 1h30m")
        .argParser(duration)
        .conflicts("steps"),
    )
    .addOption(new Option("--steps <number>", "optimizer steps, instead of a budget").argParser(whole(1)))
    .optionsGroup("What:")
    .addOption(new Option("--size <parameters>", "about so many parameters, such as 800k or 2M").argParser(size))
    .addOption(new Option("--preset <name>", "a recipe: default, nanogpt-cpu or nanogpt-384"))
    .addOption(
      new Option("--vanilla <run>", "the control of a run: a plain GPT-2 with AdamW, same text and FLOPs").conflicts([
        "budget",
        "steps",
        "size",
        "preset",
        "valid",
        "seed",
        "strict",
      ]),
    )
    .addOption(new Option("--set <key=value>", "any field of the recipe; repeatable").argParser(setting))
    .addOption(new Option("--valid <paths...>", "held-out text of your own (default: a tenth of the documents)"))
    .optionsGroup("The run:")
    .addOption(new Option("-o, --out <folder>", "run folder (default: runs/NAME, named after the text)"))
    .addOption(seedOption().default(1))
    .addOption(threadsOption())
    .addOption(blasOption())
    .addOption(deviceOption())
    .addOption(new Option("--strict", "same bits on any machine and number of threads, about half as fast"))
    .addOption(new Option("--no-baselines", "leave out the comparison at the end"))
    .optionsGroup("What it tells:")
    .addOption(new Option("--tensorboard", "write TensorBoard event files into the run folder"))
    .addOption(jsonOption("one event a line"))
    .addOption(quietOption())
    .optionsGroup("Options:")
    .addHelpText("after", TRAIN_HELP)
    .action(async (paths, options, command) => {
      if (paths.length === 0 && options.vanilla === undefined) command.error("error: missing required argument 'paths'")
      if (paths.length > 0 && options.vanilla !== undefined)
        command.error("error: --vanilla trains on the run's own text; leave out the paths")
      finish(await (await import("./commands/train.ts")).trainCommand(paths, options, output(options)))
    })
}

const TRAIN_HELP = `
Examples:
  $ kinglet train book.txt --budget 10m
  $ kinglet train "stories/*.txt" --size 2M --steps 5000 --set optimizer.learningRate=0.01
  $ zcat texts.gz | kinglet train - --budget 5m --out runs/mine
  $ kinglet train --vanilla runs/book         what the same compute gives without our recipe

Ctrl-C saves a checkpoint; the same command, or kinglet resume, goes on from there.
Next: kinglet generate runs/NAME --prompt "...", kinglet evaluate runs/NAME`

// generate, chat

const samplingOptions = {
  tokens: () => new Option("-n, --tokens <number>", "at most so many tokens").argParser(whole(1)).default(200),
  temperature: () =>
    new Option("-t, --temperature <number>", "0 takes the likeliest token; higher is bolder")
      .argParser(between(0, Infinity))
      .default(0.8),
  topK: () => new Option("--top-k <number>", "only the k likeliest tokens").argParser(whole(1)),
  topP: () =>
    new Option("--top-p <number>", "only the likeliest tokens with this probability in all").argParser(between(0, 1)),
  minP: () =>
    new Option("--min-p <number>", "only tokens at least this likely, relative to the likeliest").argParser(
      between(0, 1),
    ),
  penalty: () =>
    new Option("--repetition-penalty <number>", "above 1: what was said becomes less likely").argParser(
      between(0, Infinity),
    ),
  stop: () => new Option("--stop <text>", "end before this text; repeatable").argParser(collect),
}

function addGenerate({ program, output, finish }: Door): void {
  program
    .command("generate")
    .summary("continue a prompt with a trained model")
    .description("Continues a prompt, streaming to standard output.")
    .argument("<model>", "a run folder or a checkpoint")
    .optionsGroup("Text:")
    .addOption(
      new Option("-p, --prompt <text>", "what to continue (default: a new document); repeatable").argParser(collect),
    )
    .addOption(samplingOptions.tokens())
    .addOption(samplingOptions.stop())
    .optionsGroup("Sampling:")
    .addOption(samplingOptions.temperature())
    .addOption(samplingOptions.topK())
    .addOption(samplingOptions.topP())
    .addOption(samplingOptions.minP())
    .addOption(samplingOptions.penalty())
    .addOption(seedOption())
    .optionsGroup("Model:")
    .addOption(checkpointOption())
    .addOption(weightsOption())
    .addOption(threadsOption())
    .addOption(blasOption())
    .addOption(deviceOption())
    .optionsGroup("What it tells:")
    .addOption(jsonOption("one piece of text a line"))
    .addOption(quietOption())
    .optionsGroup("Options:")
    .addHelpText("after", GENERATE_HELP)
    .action(async (model, options) =>
      finish(await (await import("./commands/generate.ts")).generateCommand(model, options, output(options))),
    )
}

const GENERATE_HELP = `
Examples:
  $ kinglet generate runs/book --prompt "It was" --tokens 300
  $ kinglet generate runs/book --prompt "It was" --temperature 0.6 --top-p 0.95 --seed 7
  $ kinglet generate runs/book --prompt "It was" --prompt "She said"
  $ kinglet generate runs/book/checkpoints/step-000500 --prompt "It was" --stop "."

Next: kinglet chat runs/NAME types back and forth with the same model.`

function addChat({ program, output, finish }: Door): void {
  program
    .command("chat")
    .summary("type, and let the model go on")
    .description(
      "Lets you type and the model go on. A model that was not taught to answer continues your text and says so. Ends with Ctrl-D or /exit; Ctrl-C stops a reply.",
    )
    .argument("<model>", "a run folder or a checkpoint")
    .addOption(samplingOptions.tokens())
    .addOption(samplingOptions.temperature())
    .addOption(samplingOptions.topK())
    .addOption(samplingOptions.topP())
    .addOption(samplingOptions.minP())
    .addOption(samplingOptions.penalty())
    .addOption(samplingOptions.stop())
    .addOption(seedOption())
    .addOption(checkpointOption())
    .addOption(weightsOption())
    .addOption(threadsOption())
    .addOption(blasOption())
    .addOption(deviceOption())
    .addOption(jsonOption("one reply a line"))
    .addOption(quietOption())
    .addHelpText(
      "after",
      `\nExamples:\n  $ kinglet chat runs/book\n  $ echo "It was" | kinglet chat runs/book --tokens 50\n\nNext: kinglet evaluate runs/NAME tells how good the model is.`,
    )
    .action(async (model, options) =>
      finish(await (await import("./commands/chat.ts")).chatCommand(model, options, output(options))),
    )
}

// resume

function addResume({ program, output, finish }: Door): void {
  program
    .command("resume")
    .summary("go on with an interrupted run")
    .description(
      "Takes up a run at its newest checkpoint, with the recipe and the text it started with. On the same machine the result is, bit for bit, what never stopping would have given.",
    )
    .argument("<folder>", "the run folder")
    .addOption(threadsOption())
    .addOption(blasOption())
    .addOption(new Option("--no-baselines", "leave out the comparison at the end"))
    .addOption(new Option("--tensorboard", "write TensorBoard event files into the run folder"))
    .addOption(jsonOption("one event a line"))
    .addOption(quietOption())
    .addHelpText(
      "after",
      `\nExamples:\n  $ kinglet resume runs/book\n\nNext: kinglet generate runs/NAME --prompt "..."`,
    )
    .action(async (folder, options) =>
      finish(await (await import("./commands/resume.ts")).resumeCommand(folder, options, output(options))),
    )
}

// tokenizer

function addTokenizer({ program, output, finish }: Door): void {
  const tokenizer = program
    .command("tokenizer")
    .summary("train a tokenizer, turn text into ids and back")
    .description("Trains a byte-level BPE tokenizer, or turns text into ids and back.")
    .addHelpText(
      "after",
      `\nExamples:\n  $ kinglet tokenizer train book.txt --vocab 4096 --out tokenizer.json\n  $ kinglet tokenizer encode tokenizer.json "It was"\n  $ kinglet tokenizer decode tokenizer.json 73 116\n\nTraining a model makes its tokenizer by itself: this is for those who want one alone.`,
    )
  tokenizer
    .command("train")
    .description("Trains a byte-level BPE tokenizer and writes it as tokenizer.json (Hugging Face's format).")
    .argument("<paths...>", "text files, folders, globs, - for standard input")
    .addOption(
      new Option("--vocab <number>", "tokens in all, the 256 bytes included").argParser(whole(256)).default(4096),
    )
    .addOption(new Option("-o, --out <file>", "where to write it; must not exist").default("tokenizer.json"))
    .addOption(jsonOption("one object"))
    .addOption(quietOption())
    .addHelpText(
      "after",
      `\nExamples:\n  $ kinglet tokenizer train "stories/*.txt" --vocab 8192 --out stories.json\n\nNext: kinglet tokenizer encode stories.json "Once upon a time"`,
    )
    .action(async (paths, options) =>
      finish(await (await import("./commands/tokenizer.ts")).trainTokenizer(paths, options, output(options))),
    )
  tokenizer
    .command("encode")
    .description("Prints the ids of a text.")
    .argument("<tokenizer>", "a tokenizer.json, a run folder or a checkpoint")
    .argument("[text]", "the text (default: standard input)")
    .addOption(jsonOption("one object with ids and tokens"))
    .addOption(quietOption())
    .addHelpText(
      "after",
      `\nExamples:\n  $ kinglet tokenizer encode runs/book "It was"\n  $ kinglet tokenizer encode tokenizer.json < book.txt`,
    )
    .action(async (path, text, options) =>
      finish(await (await import("./commands/tokenizer.ts")).encodeText(path, text, output(options))),
    )
  tokenizer
    .command("decode")
    .description("Prints the text of ids.")
    .argument("<tokenizer>", "a tokenizer.json, a run folder or a checkpoint")
    .argument("[ids...]", "token ids (default: standard input)")
    .addOption(jsonOption("one object"))
    .addOption(quietOption())
    .addHelpText(
      "after",
      `\nExamples:\n  $ kinglet tokenizer decode runs/book 73 116\n  $ kinglet tokenizer encode runs/book "It was" | kinglet tokenizer decode runs/book`,
    )
    .action(async (path, ids, options) =>
      finish(await (await import("./commands/tokenizer.ts")).decodeIds(path, ids, output(options))),
    )
}

// data

const folderOption = () =>
  new Option("--folder <folder>", "where sets lie (default: $KINGLET_DATA, or Kinglet's cache folder)")

function addData({ program, output, finish }: Door): void {
  const data = program
    .command("data")
    .summary("public data sets: what they measure, and how to get them")
    .description("Lists public data sets, or fetches one from its origin, verified by its hash.")
    .addHelpText("after", DATA_HELP)
  data
    .command("list")
    .description("Lists the sets: size, licence, what each measures, whether it is here.")
    .addOption(folderOption())
    .addOption(jsonOption("one set a line, with address and hash"))
    .addOption(new Option("-q, --quiet", "names only"))
    .addHelpText("after", `\nExamples:\n  $ kinglet data list\n\nNext: kinglet data get NAME`)
    .action(async (options) => finish(await (await import("./commands/data.ts")).listData(options, output(options))))
  data
    .command("get")
    .description("Fetches sets, unless they are here, and prints where they lie. What is here needs no network.")
    .argument("<names...>", "names of sets, as kinglet data list shows them")
    .addOption(folderOption())
    .addOption(jsonOption("one object a set"))
    .addOption(new Option("-q, --quiet", "paths only"))
    .addHelpText("after", DATA_GET_HELP)
    .action(async (names, options) =>
      finish(await (await import("./commands/data.ts")).getData(names, options, output(options))),
    )
}

const DATA_HELP = `
Examples:
  $ kinglet data list
  $ kinglet data get tiny-shakespeare
  $ kinglet train $(kinglet data get tiny-shakespeare --quiet) --budget 10m

Sets come from their own origin under their own licence; none is part of Kinglet.`

const DATA_GET_HELP = `
Examples:
  $ kinglet data get tiny-shakespeare
  $ kinglet data get blimp names --folder data
  $ kinglet train $(kinglet data get eltec-eng --quiet) --budget 1h

A set is written whole, after its hash was checked, and never over another file.
Next: kinglet train PATH, kinglet evaluate runs/NAME --data PATH`

// bench, doctor

function addBench({ program, output, finish }: Door): void {
  program
    .command("bench")
    .summary("what this machine gives at most, and how near training and decoding come")
    .description(
      "Measures what this machine gives at most: multiply-adds of 128-bit vectors, bytes from memory, matrix products. With a work, how near it comes: steps of a training recipe, or tokens decoded one by one, on random numbers. Nothing is read or written.",
    )
    .addArgument(new Argument("[work]", "what is compared with it").choices(["train", "decode"] as const))
    .addOption(new Option("--profile", "with a work: time, speed and percent of the peak of every kernel"))
    .addOption(
      new Option("--preset <name>", "the recipe of train (default: nanogpt-cpu)").choices([
        "nanogpt-cpu",
        "nanogpt-384",
        "default",
      ] as const),
    )
    .addOption(new Option("--size <parameters>", "of the model of decode, such as 5M (default: 30M)").argParser(size))
    .addOption(threadsOption())
    .addOption(new Option("--strict", "the build that has the same bits everywhere"))
    .addOption(blasOption())
    .addOption(jsonOption("one object"))
    .addOption(quietOption())
    .addHelpText("after", BENCH_HELP)
    .action(async (work, options, command) => {
      const { benchCommand, benchUsage } = await import("./commands/bench.ts")
      const wrong = benchUsage(work, options)
      if (wrong !== undefined) command.error(`error: ${wrong}`)
      finish(await benchCommand(work, options, output(options)))
    })
}

const BENCH_HELP = `
Examples:
  $ kinglet bench
  $ kinglet bench train --profile
  $ kinglet bench decode --size 5M --threads 1

"of peak" compares with the peak that bounds a kernel: multiply-adds or memory,
whichever would take longer. Kernels of a few microseconds wait for the lanes.
Works with published numbers run in a clone: npm run bench -- nanogpt-cpu
Next: kinglet doctor tells what could make this machine faster.`

function addDoctor({ program, output, finish }: Door): void {
  program
    .command("doctor")
    .summary("what this machine offers, what is missing and why it matters")
    .description(
      "Tells what Kinglet finds on this machine: engine, SIMD, lanes, memory; what is missing, and why it matters.",
    )
    .addOption(jsonOption("one object"))
    .addOption(quietOption())
    .addHelpText("after", `\nExamples:\n  $ kinglet doctor\n\nNext: kinglet start trains a first model.`)
    .action(async (options) => finish(await (await import("./commands/doctor.ts")).doctorCommand(output(options))))
}
