// One row per operation: a case small enough to check by hand, and awkward shapes. The compiler asks for a row when an
// operation is added.
import { log, mix32 } from "../../src/core/index.ts"
import {
  absolute,
  add,
  applyOp,
  attention,
  broadcast,
  cacheWrite,
  concatenate,
  constant,
  crossEntropy,
  data,
  divide,
  erf,
  exp,
  gather,
  greater,
  linearCrossEntropy,
  log as logarithm,
  matmul,
  max,
  maximum,
  minimum,
  multiply,
  negate,
  type Op,
  packedGather,
  packedLinear,
  packPanels,
  pad,
  panelShape,
  random,
  reshape,
  rope,
  scatterAdd,
  select,
  sigmoid,
  slice,
  sqrt,
  state,
  subtract,
  sum,
  type Tensor,
  tanh,
  toFloat,
  transpose,
} from "../../src/tensor/index.ts"
import { type Build, floats, halves, integers, ints, normal, uniform, type Values } from "./numbers.ts"

export interface OperationCase {
  readonly inputs: readonly Values[]
  readonly build: Build
}

export interface OperationCases {
  /** Expected numbers come from the formula, worked out apart from the code. */
  readonly hand: OperationCase & { readonly expected: readonly (readonly number[])[] }
  /** Ones, primes, not multiples of a lane's width, more than one chunk. */
  readonly awkward: readonly OperationCase[]
  /** Inputs that have a gradient; every f32 input when not given. */
  readonly wrt?: readonly number[]
  /** Why there is no gradient to check, where there is none. */
  readonly noGradient?: string
}

const SHAPES = [[1], [7], [13, 5], [3, 1, 11], [1031]]
/** More elements than any one lane's slice or cache-sized chunk. */
const LARGE = [70_001]

const unaryCases = (
  op: (x: Tensor) => Tensor,
  x: readonly number[],
  expected: readonly number[],
  values: (shape: readonly number[]) => Values = (shape) => normal(shape, 1, 2),
): OperationCases => ({
  hand: { inputs: [floats([x.length], x)], build: op, expected: [expected] },
  awkward: [...SHAPES, LARGE].map((shape) => ({ inputs: [values(shape)], build: op })),
})

const positive = (shape: readonly number[]): Values => uniform(shape, 0.05, 5, 1)

/** Equal shapes, stretched rows, columns, scalars, both sides stretched. */
const PAIRS = [
  [[1], [1]],
  [[7], [7]],
  [[13, 5], [5]],
  [
    [13, 5],
    [13, 1],
  ],
  [
    [3, 7, 5],
    [7, 1],
  ],
  [[5], [2, 3, 5]],
  [[], [11]],
  [
    [4, 1],
    [1, 9],
  ],
  [
    [2, 1, 3, 5],
    [7, 1, 5],
  ],
  [LARGE, LARGE],
  [[67, 1031], [1031]],
] as const

const binaryCases = (
  op: (a: Tensor, b: Tensor) => Tensor,
  formula: (a: number, b: number) => number,
  second: (shape: readonly number[]) => Values = (shape) => normal(shape, 2),
): OperationCases => {
  const [a, b] = [
    [1, -2, 3, 0.5],
    [2, 2, -4, 0.25],
  ]
  return {
    hand: { inputs: [floats([4], a), floats([4], b)], build: op, expected: [a.map((x, i) => formula(x, b[i]!))] },
    awkward: PAIRS.map(([left, right]) => ({ inputs: [normal(left, 1), second(right)], build: op })),
  }
}

/** Away from zero, either sign. */
const divisor = (shape: readonly number[]): Values => {
  const { values } = uniform(shape, 0.3, 3, 2)
  return floats(
    shape,
    values.map((x, i) => (i % 3 === 0 ? -x : x)),
  )
}

const matmulShapes: readonly (readonly [number, number, number])[] = [
  [1, 1, 1],
  [3, 5, 2],
  [7, 13, 11],
  [17, 1, 19],
  [1, 31, 33],
  [65, 67, 37],
]
/** Leading axes of x, outputs, inputs: one row, two, a row over, narrow panels, more than one block. */
const PACKED_SHAPES: readonly (readonly [readonly number[], number, number])[] = [
  [[1], 1, 1],
  [[1, 1], 35, 131],
  [[2], 16, 517],
  [[3], 67, 263],
  [[2, 2], 48, 17],
  [[5], 13, 1031],
  [[261], 31, 7],
]
/** A weight `[N, K]`, packed. */
const panelsOf = (shape: readonly number[], values: readonly number[]): Values =>
  floats(panelShape(shape), [...packPanels(Float32Array.from(values), shape)])

const matmulAwkward = (): OperationCase[] =>
  [false, true].flatMap((transposeA) =>
    [false, true].flatMap((transposeB) =>
      matmulShapes.flatMap(([M, K, N]) => {
        const a = transposeA ? [K, M] : [M, K]
        const b = transposeB ? [N, K] : [K, N]
        const build: Build = (x, y) => matmul(x!, y!, { transposeA, transposeB })
        return [
          [a, b],
          [[3, ...a], b],
          [
            [2, 3, ...a],
            [2, 3, ...b],
          ],
        ].map(([x, y]) => ({ inputs: [normal(x!, 1), normal(y!, 2)], build }))
      }),
    ),
  )

/** B, T, S, H, K, D and the position of each sequence. */
const attentionShapes = [
  [1, 1, 1, 1, 1, 1, [0]],
  [2, 5, 5, 3, 3, 6, [0, 0]],
  [2, 7, 7, 6, 2, 5, [0, 0]],
  [3, 1, 9, 4, 1, 8, [0, 8, 3]],
  [1, 3, 11, 2, 2, 4, [6]],
  [1, 67, 67, 1, 1, 16, [0]],
  [2, 33, 33, 4, 2, 32, [0, 0]],
] as const

const attentionAwkward = (build: (causal: boolean) => Build): OperationCase[] =>
  attentionShapes.flatMap(([B, T, S, H, K, D, position]) =>
    [true, false].map((causal) => ({
      inputs: [normal([B, T, H, D], 1), normal([B, S, K, D], 2), normal([B, S, K, D], 3), ints([B], position)],
      build: build(causal),
    })),
  )

const attended =
  (causal: boolean): Build =>
  (q, k, v, position) =>
    attention(q!, k!, v!, position!, { causal, scale: 0.4 })

const attentionGradients =
  (causal: boolean): Build =>
  (q, k, v, position) => {
    const attributes = { causal, scale: 0.4 }
    const [o, logSumExp] = applyOp("attention", [q!, k!, v!, position!], attributes)
    return applyOp("attentionGrad", [q!, k!, v!, position!, o!, logSumExp!, multiply(o!, o!)], attributes)
  }

const rotated =
  (inverse: boolean): Build =>
  (x, cos, sin, position) =>
    rope(x!, { cos: cos!, sin: sin! }, position!, inverse)

const targetsOf = (N: number, V: number): Values =>
  ints(
    [N],
    integers([N], 0, V, 4).values.map((t, i) => (i % 5 === 3 ? -1 : t)),
  )
const LOGITS = [
  [1, 1],
  [5, 7],
  [3, 65],
  [13, 257],
  [2, 5003],
] as const

const logitGradients: Build = (logits, targets, dNats) => {
  const [, statistics] = applyOp("crossEntropy", [logits!, targets!], {})
  return applyOp("crossEntropyGrad", [logits!, targets!, statistics!, dNats!], {})
}

/** N, C, V: one row, odd sizes, several blocks. */
const HEADS = [
  [1, 1, 1],
  [5, 3, 7],
  [3, 17, 65],
  [67, 5, 259],
  [101, 3, 11_003],
] as const
const heads = (build: (softcap: number) => Build): OperationCase[] =>
  HEADS.flatMap(([N, C, V]) =>
    [0, 3].map((softcap) => ({
      inputs: [normal([N, C], 1), normal([V, C], 2), targetsOf(N, V), normal([N], 3)],
      build: build(softcap),
    })),
  )

const uniformAt = (seed: number, stream: number, index: number): number =>
  (mix32(mix32((seed | 0) ^ mix32(stream)) ^ index) >>> 8) / 2 ** 24

export const operationCases: { readonly [O in Op]: OperationCases } = {
  input: {
    hand: { inputs: [floats([2], [3, 4])], build: (x) => x!, expected: [[3, 4]] },
    awkward: SHAPES.map((shape) => ({ inputs: [normal(shape)], build: (x) => x! })),
  },
  state: {
    hand: { inputs: [], build: () => add(state("s", [3]), 1), expected: [[1, 1, 1]] },
    awkward: [{ inputs: [], build: () => state("s", [7, 3]) }],
    noGradient: "a state has no inputs; gradients with respect to states are tested with the models",
  },
  constant: {
    hand: { inputs: [], build: () => constant(0.1), expected: [[Math.fround(0.1)]] },
    awkward: [{ inputs: [], build: () => broadcast(constant(-3), [5, 7]) }],
    noGradient: "no inputs",
  },
  data: {
    hand: { inputs: [], build: () => data(Float32Array.of(1, 2, 3)), expected: [[1, 2, 3]] },
    awkward: [{ inputs: [], build: () => data(Float32Array.from(normal([13, 5]).values), [13, 5]) }],
    noGradient: "no inputs",
  },
  random: {
    hand: {
      inputs: [ints([], [7])],
      build: (seed) => random(seed!, [4], 2),
      expected: [[0, 1, 2, 3].map((index) => uniformAt(7, 2, index))],
    },
    awkward: [1, -5, 2147483647].map(
      (seed) => ({ inputs: [ints([], [seed])], build: (x: Tensor) => random(x, [13, 1031], 3) }) as OperationCase,
    ),
    noGradient: "a seed has no gradient",
  },
  toFloat: {
    hand: { inputs: [ints([3], [-1, 0, 7])], build: (x) => toFloat(x!), expected: [[-1, 0, 7]] },
    awkward: SHAPES.map((shape) => ({ inputs: [integers(shape, -1000, 1000)], build: (x) => toFloat(x!) })),
    noGradient: "integers have no gradient",
  },
  negate: unaryCases(negate, [1, -2, 0.5], [-1, 2, -0.5]),
  exp: unaryCases(exp, [0, 1, -1], [1, Math.E, 1 / Math.E]),
  log: unaryCases(logarithm, [1, Math.E, 0.5], [0, 1, -Math.LN2], positive),
  sqrt: unaryCases(sqrt, [1, 4, 2], [1, 2, Math.SQRT2], positive),
  tanh: unaryCases(tanh, [0, 1, -0.5], [0, (Math.E ** 2 - 1) / (Math.E ** 2 + 1), (1 - Math.E) / (1 + Math.E)]),
  sigmoid: unaryCases(sigmoid, [0, Math.log(3), -Math.log(3)], [0.5, 0.75, 0.25]),
  // Abramowitz & Stegun, table 7.1
  erf: unaryCases(erf, [0, 0.5, 1, -2], [0, 0.5204998778, 0.8427007929, -0.995322265]),
  absolute: unaryCases(absolute, [1, -2, 0], [1, 2, 0]),
  add: binaryCases(add, (a, b) => a + b),
  subtract: binaryCases(subtract, (a, b) => a - b),
  multiply: binaryCases(multiply, (a, b) => a * b),
  divide: binaryCases(divide, (a, b) => a / b, divisor),
  maximum: binaryCases(maximum, (a, b) => (a > b ? a : b)),
  minimum: binaryCases(minimum, (a, b) => (a < b ? a : b)),
  greater: { ...binaryCases(greater, (a, b) => (a > b ? 1 : 0)), noGradient: "a step has none" },
  select: {
    hand: {
      inputs: [floats([3], [1, 0, -1]), floats([3], [1, 2, 3]), floats([3], [4, 5, 6])],
      build: (c, a, b) => select(c!, a!, b!),
      expected: [[1, 5, 3]],
    },
    awkward: [
      [[7], [7], [7]],
      [[13, 1], [5], [13, 5]],
      [[3, 7, 1], [], [7, 5]],
    ].map((shapes) => ({
      inputs: shapes.map((shape, i) =>
        i === 0
          ? floats(
              shape,
              normal(shape, 3).values.map((x) => (x > 0 ? 1 : 0)),
            )
          : normal(shape, i),
      ),
      build: (c, a, b) => select(c!, a!, b!),
    })),
    wrt: [1, 2],
  },
  reshape: {
    hand: { inputs: [floats([2, 2], [1, 2, 3, 4])], build: (x) => reshape(x!, [4, 1]), expected: [[1, 2, 3, 4]] },
    awkward: [[7], [3, 11], [5, 1, 13]].map((shape) => ({
      inputs: [normal(shape)],
      build: (x) => reshape(x!, [-1, 1, shape.at(-1)!]),
    })),
  },
  transpose: {
    hand: { inputs: [floats([2, 3], [1, 2, 3, 4, 5, 6])], build: (x) => transpose(x!), expected: [[1, 4, 2, 5, 3, 6]] },
    awkward: (
      [
        [
          [1, 1],
          [1, 0],
        ],
        [
          [13, 5],
          [1, 0],
        ],
        [
          [67, 131],
          [1, 0],
        ],
        [
          [3, 5, 7],
          [2, 0, 1],
        ],
        [
          [2, 7, 3, 5],
          [0, 2, 1, 3],
        ],
        [
          [2, 3, 5, 7],
          [3, 1, 0, 2],
        ],
      ] as const
    ).map(([shape, permutation]) => ({ inputs: [normal(shape)], build: (x) => transpose(x!, permutation) })),
  },
  broadcast: {
    hand: { inputs: [floats([2, 1], [1, 2])], build: (x) => broadcast(x!, [2, 3]), expected: [[1, 1, 1, 2, 2, 2]] },
    awkward: (
      [
        [[1], [7]],
        [[], [3, 5]],
        [
          [3, 1, 5],
          [2, 3, 7, 5],
        ],
        [[13], [67, 13]],
      ] as const
    ).map(([from, to]) => ({
      inputs: [normal(from)],
      build: (x) => broadcast(x!, to),
    })),
  },
  slice: {
    hand: { inputs: [floats([2, 3], [1, 2, 3, 4, 5, 6])], build: (x) => slice(x!, 1, 1, 3), expected: [[2, 3, 5, 6]] },
    awkward: (
      [
        [[7], 0, 3, 4],
        [[13, 5], 0, 2, 13],
        [[13, 5], 1, 1, 4],
        [[3, 7, 11], 1, 0, 5],
        [[3, 7, 11], 2, 5, 5],
      ] as const
    ).map(([shape, axis, start, end]) => ({ inputs: [normal(shape)], build: (x) => slice(x!, axis, start, end) })),
  },
  pad: {
    hand: { inputs: [floats([2, 1], [1, 2])], build: (x) => pad(x!, 1, 1, 2), expected: [[0, 1, 0, 0, 0, 2, 0, 0]] },
    awkward: (
      [
        [[7], 0, 3, 0],
        [[13, 5], 0, 0, 2],
        [[13, 5], 1, 1, 1],
        [[3, 7, 11], 1, 2, 3],
      ] as const
    ).map(([shape, axis, before, after]) => ({
      inputs: [normal(shape)],
      build: (x) => pad(x!, axis, before, after),
    })),
  },
  concatenate: {
    hand: {
      inputs: [floats([2, 1], [1, 2]), floats([2, 2], [3, 4, 5, 6])],
      build: (x, y) => concatenate([x!, y!], 1),
      expected: [[1, 3, 4, 2, 5, 6]],
    },
    awkward: [
      { inputs: [normal([3]), normal([7], 1)], build: (x, y) => concatenate([x!, y!], 0) },
      {
        inputs: [normal([5, 1, 3]), normal([5, 7, 3], 1), normal([5, 2, 3], 2)],
        build: (x, y, z) => concatenate([x!, y!, z!], 1),
      },
      { inputs: [normal([5, 3]), normal([5, 67], 1)], build: (x, y) => concatenate([x!, y!], -1) },
    ],
  },
  sum: {
    hand: {
      inputs: [floats([2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8])],
      build: (x) => sum(x!, [1]),
      expected: [[4, 6, 12, 14]],
    },
    awkward: reductions(sum),
  },
  max: {
    hand: {
      inputs: [floats([2, 2, 2], [1, 9, 3, 4, 5, 6, -7, -8])],
      build: (x) => max(x!, [0, 2]),
      expected: [[9, 4]],
    },
    awkward: reductions(max),
  },
  matmul: {
    hand: {
      inputs: [floats([2, 2], [1, 2, 3, 4]), floats([2, 2], [5, 6, 7, 8])],
      build: (a, b) => matmul(a!, b!),
      expected: [[19, 22, 43, 50]],
    },
    awkward: matmulAwkward(),
  },
  gather: {
    hand: {
      inputs: [floats([3, 2], [1, 2, 3, 4, 5, 6]), ints([4], [2, 0, 3, -1])],
      build: (table, ids) => gather(table!, ids!),
      expected: [[5, 6, 1, 2, 0, 0, 0, 0]],
    },
    awkward: (
      [
        [1, 1, [1]],
        [7, 5, [2, 3]],
        [65, 33, [13]],
        [1031, 3, [257]],
      ] as const
    ).map(([V, C, shape]) => ({
      inputs: [normal([V, C]), integers(shape, -1, V + 1)],
      build: (table, ids) => gather(table!, ids!),
    })),
  },
  packedLinear: {
    hand: {
      inputs: [floats([2, 2], [1, 2, 3, 4]), panelsOf([3, 2], [1, 0, 0, 1, 5, 6])],
      build: (x, panels) => packedLinear(x!, panels!, 3),
      expected: [[1, 2, 1 * 5 + 2 * 6, 3, 4, 3 * 5 + 4 * 6]],
    },
    noGradient: "packed weights are not trained",
    awkward: PACKED_SHAPES.flatMap(([m, n, k]) => {
      const panels = panelsOf([n, k], normal([n, k], 2).values)
      const build: Build = (x, weight) => packedLinear(x!, weight!, n)
      return [panels, halves(panels)].map((weight) => ({ inputs: [normal([...m, k], 1), weight], build }))
    }),
  },
  packedGather: {
    hand: {
      inputs: [panelsOf([3, 2], [1, 2, 3, 4, 5, 6]), ints([4], [2, 0, 3, -1])],
      build: (panels, ids) => packedGather(panels!, ids!, 3),
      expected: [[5, 6, 1, 2, 0, 0, 0, 0]],
    },
    noGradient: "packed weights are not trained",
    awkward: (
      [
        [1, 1, [1]],
        [7, 5, [2, 3]],
        [65, 33, [13]],
        [1031, 3, [257]],
      ] as const
    ).flatMap(([V, C, shape]) => {
      const panels = panelsOf([V, C], normal([V, C]).values)
      const build: Build = (table, ids) => packedGather(table!, ids!, V)
      return [panels, halves(panels)].map((table) => ({ inputs: [table, integers(shape, -1, V + 1)], build }))
    }),
  },
  scatterAdd: {
    hand: {
      inputs: [ints([4], [1, 1, -1, 5]), floats([4, 1], [2, 3, 7, 9])],
      build: (ids, x) => scatterAdd(ids!, x!, 3),
      expected: [[0, 5, 0]],
    },
    awkward: (
      [
        [1, 1, [1]],
        [7, 5, [2, 3]],
        [65, 33, [130]],
        [3, 3, [1031]],
      ] as const
    ).map(([rows, C, shape]) => ({
      inputs: [integers(shape, -1, rows + 1), normal([...shape, C])],
      build: (ids, x) => scatterAdd(ids!, x!, rows),
    })),
  },
  rope: {
    hand: {
      inputs: [floats([1, 1, 1, 2], [1, 2]), floats([2, 1], [1, 0.6]), floats([2, 1], [0, 0.8]), ints([1], [1])],
      build: rotated(false),
      expected: [[1 * 0.6 - 2 * 0.8, 2 * 0.6 + 1 * 0.8]],
    },
    awkward: (
      [
        [1, 1, 1, 2, [0]],
        [2, 5, 3, 6, [0, 4]],
        [3, 1, 7, 10, [8, 0, 3]],
        [2, 13, 2, 32, [0, 0]],
      ] as const
    ).flatMap(([B, T, H, D, position]) =>
      [false, true].map((inverse) => ({
        inputs: [normal([B, T, H, D]), ...turns(17, D / 2), ints([B], position)],
        build: rotated(inverse),
      })),
    ),
    wrt: [0],
  },
  attention: {
    hand: {
      inputs: [
        floats([1, 2, 1, 1], [0, 0]),
        floats([1, 2, 1, 1], [1, 3]),
        floats([1, 2, 1, 1], [2, 4]),
        ints([1], [0]),
      ],
      build: (...x) => applyOp("attention", x, { causal: true, scale: 1 }),
      expected: [
        [2, 3],
        [0, Math.LN2],
      ],
    },
    awkward: attentionAwkward(attended),
  },
  attentionGrad: {
    // p = [1], [½, ½]; dV = pᵀ·dO; dS = p∘(dO·v - Σ dO∘o) = [-½, ½] in row 1; dQ = dS·k; dK = dSᵀ·q = 0
    hand: {
      inputs: [
        floats([1, 2, 1, 1], [0, 0]),
        floats([1, 2, 1, 1], [1, 3]),
        floats([1, 2, 1, 1], [2, 4]),
        ints([1], [0]),
      ],
      build: (...x) => {
        const attributes = { causal: true, scale: 1 }
        const [o, logSumExp] = applyOp("attention", x, attributes)
        return applyOp("attentionGrad", [...x, o!, logSumExp!, broadcast(constant(1), [1, 2, 1, 1])], attributes)
      },
      expected: [
        [0, 1],
        [0, 0],
        [1.5, 0.5],
      ],
    },
    awkward: attentionAwkward(attentionGradients),
    noGradient: "second derivatives are not defined",
  },
  cacheWrite: {
    hand: {
      inputs: [floats([1, 3, 1, 1], [1, 2, 3]), floats([1, 2, 1, 1], [8, 9]), ints([1], [1])],
      build: (cache, x, position) => cacheWrite(cache!, x!, position!),
      expected: [[1, 8, 9]],
    },
    awkward: (
      [
        [1, 1, 1, 1, 1, [0]],
        [2, 7, 3, 2, 5, [0, 4]],
        [3, 5, 2, 1, 3, [4, 0, 5]],
      ] as const
    ).map(([B, S, T, K, D, position]) => ({
      inputs: [normal([B, S, K, D]), normal([B, T, K, D], 1), ints([B], position)],
      build: (cache, x, at) => cacheWrite(cache!, x!, at!),
    })),
    noGradient: "caches are for inference",
  },
  crossEntropy: {
    hand: {
      inputs: [floats([3, 2], [0, 0, Math.log(3), 0, 5, 6]), ints([3], [1, 0, -1])],
      build: (...x) => applyOp("crossEntropy", x, {}),
      expected: [
        [Math.LN2, -log(0.75), 0],
        [0, Math.LN2, log(3), log(4 / 3), 0, 0],
      ],
    },
    awkward: LOGITS.map(([N, V]) => ({
      inputs: [normal([N, V], 1, 3), targetsOf(N, V)],
      build: (logits, targets) => crossEntropy(logits!, targets!),
    })),
  },
  crossEntropyGrad: {
    hand: {
      inputs: [floats([2, 2], [0, 0, 3, 4]), ints([2], [1, -1]), floats([2], [2, 5])],
      build: logitGradients,
      expected: [[1, -1, 0, 0]],
    },
    awkward: LOGITS.map(([N, V]) => ({
      inputs: [normal([N, V], 1, 3), targetsOf(N, V), normal([N], 2)],
      build: logitGradients,
    })),
    noGradient: "second derivatives are not defined",
  },
  linearCrossEntropy: {
    hand: {
      inputs: [floats([3, 2], [0, 0, Math.log(3), 0, 5, 6]), floats([2, 2], [1, 0, 0, 1]), ints([3], [1, 0, -1])],
      build: (...x) => applyOp("linearCrossEntropy", x, { softcap: 0 }),
      expected: [[Math.LN2, -log(0.75), 0]],
    },
    awkward: heads((softcap) => (x, weight, targets) => linearCrossEntropy(x!, weight!, targets!, { softcap })),
    wrt: [0, 1],
  },
  linearCrossEntropyGrad: {
    // logits [0, 0], so p = [½, ½] and dZ = 2·[½, -½]; dX = dZ·W, dW = dZᵀ·x
    hand: {
      inputs: [floats([2, 2], [0, 3, 8, 9]), floats([2, 2], [1, 0, 2, 0]), ints([2], [1, -1]), floats([2], [2, 5])],
      build: (...x) => applyOp("linearCrossEntropyGrad", x, { softcap: 0 }),
      expected: [[-1, 0, 0, 0], [0, 3, 0, -3], [Math.LN2, 0], [2 * Math.LN2]],
    },
    awkward: heads((softcap) => (x, weight, targets, rowWeights) => {
      const outputs = applyOp("linearCrossEntropyGrad", [x!, weight!, targets!, rowWeights!], { softcap })
      return outputs.toReversed() // the total has a gradient
    }),
  },
}

/** Cosines and sines of random angles, `[rows, half]` each. */
function turns(rows: number, half: number): [Values, Values] {
  const angles = uniform([rows, half], -3, 3, 5).values
  return [Math.cos, Math.sin].map((f) =>
    floats(
      [rows, half],
      angles.map((x) => Math.fround(f(x))),
    ),
  ) as [Values, Values]
}

function reductions(op: typeof sum): OperationCase[] {
  const cases = [
    [[1], [0]],
    [[7], [0]],
    [[13, 5], [1]],
    [[13, 5], [0]],
    [[3, 7, 11], [1]],
    [
      [3, 7, 11],
      [1, 2],
    ],
    [
      [3, 7, 11],
      [0, 2],
    ],
    [[1031], [0]],
    [[5, 1031], [1]],
    [[1031, 5], [0]],
    [LARGE, [0]],
    [
      [2, 67, 3, 5],
      [1, 3],
    ],
  ] as const
  return cases.map(([shape, axes]) => ({ inputs: [normal(shape)], build: (x) => op(x!, axes) }))
}
