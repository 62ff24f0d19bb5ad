// From the recipe's words to the optimizer and the schedule of the optim room.
import {
  adamW,
  cosineSchedule,
  DECAY_ROLES,
  linearSchedule,
  muon,
  type Optimizer,
  type Schedule,
  sgd,
  wsdSchedule,
} from "../optim/index.ts"
import type { OptimizerRecipe, Recipe } from "./recipe.ts"

/** Muon's momentum climbs from here over this many steps (recipes.md). */
const MUON_MOMENTUM_FROM = 0.85
const MUON_MOMENTUM_STEPS = 300

export function optimizerOf(recipe: OptimizerRecipe): Optimizer {
  const { momentum, weightDecay, clipNorm } = recipe
  if (recipe.name === "sgd") return sgd({ momentum, weightDecay, clipNorm })
  if (recipe.name === "adamw") return adamW({ ...adamWOptions(recipe), clipNorm })
  return muon({
    momentum: { from: Math.min(MUON_MOMENTUM_FROM, momentum), to: momentum, warmupSteps: MUON_MOMENTUM_STEPS },
    weightDecay,
    clipNorm,
    adamW: adamWOptions(recipe),
  })
}

/** Learning rates of roles become factors of the common one, so that one schedule moves them all. */
function adamWOptions(recipe: OptimizerRecipe) {
  const { beta1, beta2, epsilon, weightDecay, learningRate, decayEmbeddings } = recipe
  const factor = (rate: number | undefined): number => (rate ?? learningRate) / learningRate
  const scalar = factor(recipe.scalarLearningRate)
  return {
    beta1,
    beta2,
    epsilon,
    weightDecay,
    decayRoles: decayEmbeddings ? DECAY_ROLES : (["matrix"] as const),
    learningRateFactors: {
      embedding: factor(recipe.embeddingLearningRate),
      head: factor(recipe.headLearningRate),
      gain: scalar,
      bias: scalar,
      scalar,
    },
  }
}

/** Factor of the peak learning rate by step 0, 1, …. */
export function scheduleOf({ schedule, steps }: Recipe): Schedule {
  const { name, warmupSteps, decayFraction, finalFactor } = schedule
  if (name === "cosine") return cosineSchedule({ warmupSteps, steps, finalFactor })
  if (name === "linear") return linearSchedule({ warmupSteps, steps, finalFactor })
  const flat = name === "constant"
  return wsdSchedule({
    warmupSteps,
    steps,
    decayFraction: flat ? 0 : decayFraction,
    finalFactor: flat ? 1 : finalFactor,
  })
}
