// The commands that measure, compare and report, with their options and help.
import { Option } from "@commander-js/extra-typings"
import {
  blasOption,
  checkpointOption,
  collect,
  type Door,
  deviceOption,
  jsonOption,
  quietOption,
  threadsOption,
  weightsOption,
  whole,
} from "./options.ts"

// evaluate

export function addEvaluate({ program, output, finish }: Door): void {
  program
    .command("evaluate")
    .summary("measure a model on held-out text, beside baselines")
    .description(
      "Measures a model in bits per byte, on the text its own run held out or on yours, beside counts and compressors that saw the same training text. Or examines it by a suite of tasks, or asks whether it learned or memorized. What was found is kept in RUN/evaluations.",
    )
    .argument("<model>", "a run folder or a checkpoint")
    .optionsGroup("What is measured:")
    .addOption(new Option("--data <paths...>", "text to measure on (default: what the run held out)"))
    .addOption(
      new Option("--stride <tokens>", "overlapping windows that move on by so many tokens; stored apart").argParser(
        whole(1),
      ),
    )
    .addOption(new Option("--suite <name>", "blimp, or a task file of your own; repeatable").argParser(collect))
    .addOption(new Option("--generalization", "gap, extraction, membership, copying and contamination"))
    .addOption(new Option("--quick", "a quarter of the passages for --generalization"))
    .addOption(new Option("--all", "the text and generalization, beside the suites that are named"))
    .optionsGroup("Beside what:")
    .addOption(
      new Option("--against <runs...>", "other runs among the baselines (RUN-vanilla, if trained, is there by itself)"),
    )
    .addOption(new Option("--no-baselines", "leave out counts, compressors and other runs"))
    .optionsGroup("Model:")
    .addOption(checkpointOption())
    .addOption(weightsOption())
    .addOption(threadsOption())
    .addOption(blasOption())
    .addOption(deviceOption())
    .optionsGroup("What it tells:")
    .addOption(jsonOption("one object for each part: kind, model, data, result"))
    .addOption(quietOption())
    .optionsGroup("Options:")
    .addHelpText("after", EVALUATE_HELP)
    .action(async (model, options, command) => {
      const { evaluateCommand, evaluateUsage } = await import("./commands/evaluate.ts")
      const wrong = evaluateUsage(options)
      if (wrong !== undefined) command.error(`error: ${wrong}`)
      finish(await evaluateCommand(model, options, output(options)))
    })
}

const EVALUATE_HELP = `
Examples:
  $ kinglet evaluate runs/book
  $ kinglet evaluate runs/book --data other-book.txt --json
  $ kinglet data get blimp && kinglet evaluate runs/book --suite blimp
  $ kinglet evaluate runs/book --suite my-task.json --all
  $ kinglet train --vanilla runs/book && kinglet evaluate runs/book

Next: kinglet compare runs/a runs/b, kinglet report runs/NAME`

// compare

export function addCompare({ program, output, finish }: Door): void {
  program
    .command("compare")
    .summary("two models or more on the same text: who is better, by how much, at what cost")
    .description(
      "Compares models on the same text, document by document: the difference in bits per byte with its 95 % interval and p-value, and what each model costs. With --matrix, every model on the text that each of them held out.",
    )
    .argument("<models...>", "run folders, checkpoints, or stored findings (RUN/evaluations/*.json)")
    .optionsGroup("Text:")
    .addOption(new Option("--data <paths...>", "text none of them was trained on (default: what they all held out)"))
    .addOption(new Option("--matrix", "trained on i, tested on j; --data takes name=path then"))
    .optionsGroup("Models:")
    .addOption(checkpointOption())
    .addOption(weightsOption())
    .addOption(threadsOption())
    .addOption(blasOption())
    .addOption(deviceOption())
    .optionsGroup("What it tells:")
    .addOption(jsonOption("one object, with all numbers"))
    .addOption(quietOption())
    .optionsGroup("Options:")
    .addHelpText("after", COMPARE_HELP)
    .action(async (models, options, command) => {
      const { compareCommand, compareUsage } = await import("./commands/compare.ts")
      const wrong = compareUsage(models, options)
      if (wrong !== undefined) command.error(`error: ${wrong}`)
      finish(await compareCommand(models, options, output(options)))
    })
}

const COMPARE_HELP = `
Examples:
  $ kinglet compare runs/book runs/book-2
  $ kinglet compare runs/a runs/b --data held-out.txt
  $ kinglet compare runs/*                          a ranking with its Pareto front
  $ kinglet compare runs/book runs/old/evaluations/text-*.json
  $ kinglet compare --matrix runs/english runs/french

What was measured is stored in RUN/evaluations and not measured again.
Next: kinglet report runs/a runs/b makes a page of it.`

// report

export function addReport({ program, output, finish }: Door): void {
  program
    .command("report")
    .summary("one page about a run or several: numbers, curves, samples, reasons")
    .description(
      "Makes one HTML file that needs nothing else: results with intervals, loss curves, baselines, samples, the recipe with its reasons. It tells what was measured, and measures bits per byte where they are missing.",
    )
    .argument("<runs...>", "run folders")
    .addOption(new Option("-o, --out <file>", "where to write it (default: report.html in the first run)"))
    .addOption(checkpointOption())
    .addOption(weightsOption())
    .addOption(threadsOption())
    .addOption(blasOption())
    .addOption(deviceOption())
    .addOption(jsonOption("the facts of the report, as one object"))
    .addOption(quietOption())
    .addHelpText("after", REPORT_HELP)
    .action(async (runs, options) =>
      finish(await (await import("./commands/report.ts")).reportCommand(runs, options, output(options))),
    )
}

const REPORT_HELP = `
Examples:
  $ kinglet report runs/book
  $ kinglet report runs/book runs/book-2 runs/book-3 --out book.html

Next: open it in a browser; kinglet evaluate RUN measures more to tell.`
