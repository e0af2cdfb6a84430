import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { Quantity } from "../src/index.js"

const canonical = (text: string): string => Quantity.toCanonical(Either.getOrThrow(Quantity.parse(text)))

describe("canonical form", () => {
  it.each([
    ["0", "0"],
    ["0n", "0"],
    ["0.0", "0"],
    ["0Ki", "0"],
    ["-0", "0"],
    ["1", "1"],
    ["01", "1"],
    ["+1", "1"],
    ["0.5", "500m"],
    [".5", "500m"],
    ["1.", "1"],
    ["1.5", "1500m"],
    ["100m", "100m"],
    ["1000m", "1"],
    ["1000", "1k"],
    ["1500", "1500"],
    ["1000000", "1M"],
    ["1024Ki", "1Mi"],
    ["1024", "1024"],
    ["1536Mi", "1536Mi"],
    ["1.5Gi", "1536Mi"],
    ["0.5Gi", "512Mi"],
    ["0.5Mi", "512Ki"],
    ["0.5Ki", "512"],
    ["1Ki", "1Ki"],
    ["1.1Ki", "1126400m"],
    ["1e3", "1e3"],
    ["1E3", "1e3"],
    ["12e6", "12e6"],
    ["1e4", "10e3"],
    ["1e1", "10"],
    ["1.5e3", "1500"],
    ["1e-3", "1e-3"],
    ["1E", "1E"],
    ["1000E", "1000E"],
    ["1n", "1n"],
    ["0.1n", "1n"],
    ["1.1n", "2n"],
    ["0.000000001u", "1n"],
    ["-0.1n", "-1n"],
    ["-1500m", "-1500m"],
    ["-1024Ki", "-1Mi"],
    ["1e-100", "1e-9"],
    ["100Ei", String(2n ** 63n - 1n)],
    ["7Ei", "7Ei"]
  ])("of %s is %s", (text, expected) => {
    assert.strictEqual(canonical(text), expected)
  })

  it.each(["", "abc", "1.2.3", "1 Ki", "--1", "1e", "Ki", ".", "1Zi", "0x10", "1e1000000", "1e101", "9".repeat(300), "1kk", "1iK"])(
    "%s is refused",
    (text) => {
      const error = Either.getOrThrow(Either.flip(Quantity.parse(text)))
      assert.include(
        [
          "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
          "unable to parse quantity's suffix"
        ],
        error.message
      )
    }
  )
})

const suffixes = ["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "e3", "E-2", "e0"]
const texts = FastCheck.tuple(
  FastCheck.constantFrom("", "-", "+"),
  FastCheck.nat({ max: 999_999 }),
  FastCheck.option(FastCheck.nat({ max: 999_999 })),
  FastCheck.constantFrom(...suffixes)
).map(([sign, whole, fraction, suffix]) => `${sign}${whole}${fraction === null ? "" : `.${fraction}`}${suffix}`)
const quantities = texts.map((text) => Either.getOrThrow(Quantity.parse(text)))

describe("laws", () => {
  it.prop("the canonical form stands for the same amount and is its own canonical form", [texts], ([text]) => {
    const parsed = Either.getOrThrow(Quantity.parse(text))
    const written = Quantity.toCanonical(parsed)
    const again = Either.getOrThrow(Quantity.parse(written))
    assert.strictEqual(again.nanos, parsed.nanos)
    assert.strictEqual(Quantity.toCanonical(again), written)
    assert.notInclude(written, ".")
  })

  it.prop("addition and subtraction undo each other", [quantities, quantities], ([left, right]) => {
    assert.strictEqual(Quantity.compare(Quantity.subtract(Quantity.add(left, right), right), left), 0)
  })

  it.prop("the order is total and agrees with subtraction", [quantities, quantities], ([left, right]) => {
    const order = Quantity.compare(left, right)
    assert.strictEqual(Quantity.compare(right, left), order === 0 ? 0 : -order)
    const difference = Quantity.subtract(left, right).nanos
    assert.strictEqual(order, difference > 0n ? 1 : difference < 0n ? -1 : 0)
  })

  it.prop("numbers are rounded up, never down", [quantities], ([quantity]) => {
    const nanos = Number(quantity.nanos)
    if (Math.abs(nanos) < 2 ** 50) {
      assert.strictEqual(Quantity.toMillis(quantity) + 0, Math.ceil(nanos / 1e6) + 0)
      assert.strictEqual(Quantity.toNumber(quantity) + 0, Math.ceil(nanos / 1e9) + 0)
    }
  })

  it("numbers become quantities in the notation of their unit", () => {
    assert.strictEqual(Quantity.toCanonical(Quantity.fromMillis(1500)), "1500m")
    assert.strictEqual(Quantity.toCanonical(Quantity.fromMillis(2000)), "2")
    assert.strictEqual(Quantity.toCanonical(Quantity.fromBytes(512 * 1024 * 1024)), "512Mi")
    assert.strictEqual(Quantity.toCanonical(Quantity.fromNumber(110)), "110")
  })
})
