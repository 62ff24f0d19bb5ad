import fc from "fast-check"
import { expect, it } from "vitest"
import { broadcastShapes, formatShape, resolveAxis, ShapeError, sameShape, sizeOf, stridesOf } from "./index.ts"

const shapes = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 })

it("a scalar has one element and no strides", () => {
  expect(sizeOf([])).toBe(1)
  expect(stridesOf([])).toEqual([])
  expect(formatShape([8, 512])).toBe("[8, 512]")
})

it("strides are the sizes of what lies inside", () => {
  expect(stridesOf([2, 3, 4])).toEqual([12, 4, 1])
  fc.assert(
    fc.property(shapes, (shape) => {
      expect(stridesOf(shape)).toEqual(shape.map((_, axis) => sizeOf(shape.slice(axis + 1))))
    }),
  )
})

it("broadcasting is symmetric, keeps a shape with itself, and stretches ones", () => {
  fc.assert(
    fc.property(shapes, (shape) => {
      expect(broadcastShapes(shape, shape)).toEqual(shape)
      expect(broadcastShapes(shape, [])).toEqual(shape)
      expect(
        broadcastShapes(
          shape.map(() => 1),
          shape,
        ),
      ).toEqual(shape)
    }),
  )
  expect(broadcastShapes([3, 1], [2, 1, 4])).toEqual(broadcastShapes([2, 1, 4], [3, 1]))
  expect(broadcastShapes([3, 1], [2, 1, 4])).toEqual([2, 3, 4])
  expect(() => broadcastShapes([2], [3])).toThrow(ShapeError)
})

it("negative axes count from the end; others are refused", () => {
  expect(resolveAxis(-1, 3)).toBe(2)
  expect(resolveAxis(0, 1)).toBe(0)
  for (const axis of [3, -4, 0.5, NaN]) expect(() => resolveAxis(axis, 3)).toThrow(ShapeError)
  expect(sameShape([1, 2], [1, 2])).toBe(true)
  expect(sameShape([1, 2], [1, 2, 1])).toBe(false)
})
