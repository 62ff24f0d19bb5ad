// Recipes are checked here, once: every field against one row of a table, unknown keys by name. `--set key=value` goes
// through the same rows.
import { ConfigError } from "../core/index.ts"
import { presets, validateConfig } from "../models/index.ts"
import { type Explained, type ModelRecipe, RECIPE_VERSION, type Recipe } from "./recipe.ts"

interface Field {
  readonly expected: string
  readonly accepts: (value: unknown) => boolean
  readonly optional?: boolean
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value)
const isStrings = (value: unknown): boolean =>
  Array.isArray(value) && value.every((entry) => typeof entry === "string" && entry !== "")

const integer = (least: number): Field => ({
  expected: least === 0 ? "a whole number, 0 or more" : `a whole number of at least ${least}`,
  accepts: (value) => Number.isSafeInteger(value) && (value as number) >= least,
})
const positive: Field = { expected: "a number above 0", accepts: (value) => isNumber(value) && value > 0 }
const notNegative: Field = { expected: "a number, 0 or more", accepts: (value) => isNumber(value) && value >= 0 }
const fraction: Field = {
  expected: "a number from 0 to 1",
  accepts: (value) => isNumber(value) && value >= 0 && value <= 1,
}
const decay: Field = {
  expected: "a number from 0 up to, not including, 1",
  accepts: (value) => fraction.accepts(value) && value !== 1,
}
const text: Field = { expected: "text", accepts: (value) => typeof value === "string" }
const truth: Field = { expected: "true or false", accepts: (value) => typeof value === "boolean" }
const oneOf = (...names: readonly string[]): Field => ({
  expected: names.map((name) => `"${name}"`).join(" or "),
  accepts: (value) => names.includes(value as string),
})
const optional = (field: Field): Field => ({ ...field, optional: true })

/** One row per field, by dotted path; the fields of `model` belong to the models room. */
const FIELDS: { readonly [path: string]: Field } = {
  version: { expected: String(RECIPE_VERSION), accepts: (value) => value === RECIPE_VERSION },
  name: text,
  "tokenizer.kind": oneOf("characters", "bytes", "bpe"),
  "tokenizer.vocabSize": optional(integer(2)),
  "tokenizer.endOfText": truth,
  "data.paths": {
    expected: 'a list of paths, or "inline"',
    accepts: (value) => value === "inline" || (isStrings(value) && (value as string[]).length > 0),
  },
  "data.validPaths": optional({ expected: "a list of paths", accepts: isStrings }),
  "data.validFraction": {
    expected: "a number above 0 and below 1",
    accepts: (value) => isNumber(value) && value > 0 && value < 1,
  },
  "data.split": oneOf("documents", "exact"),
  "data.batchMode": oneOf("windows", "random"),
  batchSize: integer(1),
  sequenceLength: integer(1),
  accumulationSteps: integer(1),
  steps: integer(1),
  "optimizer.name": oneOf("adamw", "muon", "sgd"),
  "optimizer.learningRate": positive,
  "optimizer.beta1": decay,
  "optimizer.beta2": decay,
  "optimizer.epsilon": positive,
  "optimizer.momentum": decay,
  "optimizer.weightDecay": notNegative,
  "optimizer.decayEmbeddings": truth,
  "optimizer.clipNorm": notNegative,
  "optimizer.embeddingLearningRate": optional(notNegative),
  "optimizer.headLearningRate": optional(notNegative),
  "optimizer.scalarLearningRate": optional(notNegative),
  "schedule.name": oneOf("constant", "cosine", "linear", "wsd"),
  "schedule.warmupSteps": integer(0),
  "schedule.decayFraction": fraction,
  "schedule.finalFactor": fraction,
  "evaluation.everySteps": integer(0),
  "evaluation.maxTokens": optional(integer(1)),
  "sampling.everySteps": integer(0),
  "sampling.prompt": text,
  "sampling.tokens": integer(0),
  "checkpoint.everySteps": integer(0),
  "checkpoint.everySeconds": optional(notNegative),
  seed: integer(0),
  strict: truth,
  explained: optional({ expected: "reasons by field", accepts: isObject }),
}

const { vocabSize: _, ...anyModel } = presets.llama({
  vocabSize: 1,
  hiddenSize: 2,
  numHiddenLayers: 0,
  numAttentionHeads: 1,
  maxPositionEmbeddings: 1,
})
/** A value of the right type by field of the model; the models room checks the rest. */
const MODEL_FIELDS: { readonly [name: string]: unknown } = anyModel

/** `tokenizer`, `data`, `optimizer`, ...: the keys that hold other keys, `model` among them. */
const GROUPS: ReadonlySet<string> = new Set([
  "model",
  ...Object.keys(FIELDS).flatMap((path) => path.split(".").slice(0, -1)),
])

/**
 * A recipe that can be run.
 *
 * @throws ConfigError  names the first field that is missing, unknown or cannot be used, with what was expected
 */
export function validateRecipe(json: unknown): Recipe {
  if (!isObject(json)) throw new ConfigError(`a recipe must be an object, got ${describe(json)}`)
  checkVersion(json["version"])
  for (const group of GROUPS)
    if (!isObject(json[group]))
      throw new ConfigError(`recipe: ${group} must be an object, got ${describe(json[group])}`)
  for (const path of leafPaths(json)) if (!FIELDS[path]) throw unknownField(path)
  checkModelFields(json["model"] as object)
  for (const [path, field] of Object.entries(FIELDS)) checkField(path, field, valueAt(json, path))
  const recipe = json as unknown as Recipe
  checkTogether(recipe)
  validateConfig({ ...recipe.model, vocabSize: recipe.tokenizer.vocabSize ?? 256 })
  return recipe
}

function checkVersion(version: unknown): void {
  if (Number.isInteger(version) && (version as number) > RECIPE_VERSION)
    throw new ConfigError(
      `this recipe has version ${version}, and this kinglet reads up to version ${RECIPE_VERSION}`,
      "it was written by a newer kinglet: update with npm install kinglet@latest",
    )
}

function checkField(path: string, field: Field, value: unknown): void {
  if (value === undefined && field.optional) return
  if (value === undefined) throw new ConfigError(`recipe: ${path} is missing, expected ${field.expected}`)
  if (!field.accepts(value)) throw new ConfigError(`recipe: ${path} must be ${field.expected}, got ${describe(value)}`)
}

function checkModelFields(model: object): void {
  const known = Object.keys(MODEL_FIELDS)
  for (const name of Object.keys(model))
    if (!known.includes(name))
      throw unknownField(
        `model.${name}`,
        known.map((field) => `model.${field}`),
      )
  for (const [name, value] of Object.entries(model)) {
    const type = typeof MODEL_FIELDS[name]
    checkField(`model.${name}`, { expected: `a ${type}`, accepts: (given) => typeof given === type }, value)
  }
}

/** What no single field can say. */
function checkTogether(recipe: Recipe): void {
  const { hiddenSize, numAttentionHeads, headDim } = recipe.model
  if (!Number.isInteger(headDim) && headDim * numAttentionHeads === hiddenSize)
    throw new ConfigError(
      `recipe: model.numAttentionHeads must divide hiddenSize, got ${numAttentionHeads} and ${hiddenSize}`,
      `try numAttentionHeads ${nearestDivisor(hiddenSize, numAttentionHeads)}`,
    )
  if (recipe.tokenizer.kind === "bpe" && recipe.tokenizer.vocabSize === undefined)
    throw new ConfigError("recipe: tokenizer.vocabSize is missing, expected the size of the BPE vocabulary")
  const { positions, maxPositionEmbeddings } = recipe.model
  if (positions === "learned" && recipe.sequenceLength > maxPositionEmbeddings)
    throw new ConfigError(
      `recipe: sequenceLength must be at most model.maxPositionEmbeddings, got ${recipe.sequenceLength} > ${maxPositionEmbeddings}`,
      "raise model.maxPositionEmbeddings or shorten sequenceLength",
    )
}

/** The divisor of `of` nearest to `wanted`. */
function nearestDivisor(of: number, wanted: number): number {
  const divisors = Array.from({ length: of }, (_, index) => index + 1).filter((divisor) => of % divisor === 0)
  return divisors.reduce((best, divisor) => (Math.abs(divisor - wanted) < Math.abs(best - wanted) ? divisor : best), 1)
}

/** Paths of all leaves outside `model` and `explained`. */
function leafPaths(json: Record<string, unknown>): string[] {
  return Object.entries(json).flatMap(([key, value]) => {
    if (key === "model") return []
    if (!GROUPS.has(key)) return [key]
    return Object.keys(value as object).map((child) => `${key}.${child}`)
  })
}

function valueAt(json: object, path: string): unknown {
  return path.split(".").reduce<unknown>((node, key) => (isObject(node) ? node[key] : undefined), json)
}

function unknownField(path: string, known: readonly string[] = Object.keys(FIELDS)): ConfigError {
  const last = path.split(".").at(-1)!
  const similar = known.find((name) => name.split(".").at(-1)!.toLowerCase() === last.toLowerCase())
  return new ConfigError(
    `recipe: there is no field "${path}"`,
    similar ? `did you mean ${similar}?` : `the fields are ${known.join(", ")}`,
  )
}

function describe(value: unknown): string {
  if (value === undefined) return "nothing"
  const json = typeof value === "number" ? String(value) : JSON.stringify(value)
  return json.length > 60 ? `${json.slice(0, 57)}...` : json
}

/**
 * The recipe with one field changed, as `--set optimizer.learningRate=0.01` asks; `text` is read as JSON, or as the text it is.
 * The field's explanation becomes "you set it".
 *
 * @throws ConfigError  if there is no such field or the value does not fit it
 */
export function setRecipeValue(recipe: Recipe, key: string, text: string): Recipe {
  const path = resolveKey(recipe, key)
  const [first, second] = path.split(".") as [string, string?]
  const value = readValue(path, text)
  const field = FIELDS[path]
  if (field) checkField(path, field, value)
  const group = (recipe as unknown as Record<string, object>)[first]
  const explained: Explained = { value, because: "you set it", source: `--set ${key}=${text}` }
  const changed = { ...recipe, [first]: second === undefined ? value : { ...group, [second]: value } }
  if (first === "model") changed.model = followWidth(recipe.model, changed.model, second!)
  return { ...changed, explained: { ...recipe.explained, [path]: explained } } as Recipe
}

/** Sizes that were derived from the width or the head count follow it; what does not divide is told by {@link validateRecipe}. */
function followWidth(before: ModelRecipe, after: ModelRecipe, key: string): ModelRecipe {
  if (key !== "hiddenSize" && key !== "numAttentionHeads") return after
  const { hiddenSize, numAttentionHeads } = after
  const derivedHeads = before.headDim * before.numAttentionHeads === before.hiddenSize
  return {
    ...after,
    headDim: derivedHeads ? hiddenSize / numAttentionHeads : after.headDim,
    numKeyValueHeads: before.numKeyValueHeads === before.numAttentionHeads ? numAttentionHeads : after.numKeyValueHeads,
    intermediateSize: Math.round((before.intermediateSize / before.hiddenSize) * hiddenSize),
  }
}

/** The full path of a key; `learningRate` will do for `optimizer.learningRate` where only one field ends so. */
function resolveKey(recipe: Recipe, key: string): string {
  const model = Object.keys(recipe.model).map((name) => `model.${name}`)
  const known = [...Object.keys(FIELDS).filter((path) => path !== "version" && path !== "explained"), ...model]
  if (known.includes(key)) return key
  const ending = known.filter((path) => path.endsWith(`.${key}`))
  if (ending.length === 1) return ending[0]!
  throw unknownField(key, known)
}

function readValue(path: string, text: string): unknown {
  if (path === "data.paths" || path === "data.validPaths")
    return text.startsWith("[") ? JSON.parse(text) : text.split(",")
  if (path === "sampling.prompt" || path === "name") return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
