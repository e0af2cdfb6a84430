import { describe, expect, it } from "@effect/vitest"
import { Exposition } from "@reddwarf/prometheus"
import * as FastCheck from "effect/FastCheck"

/** Reads one line of a sample back, as a scraper does. */
const read = (line: string): { readonly name: string; readonly labels: Readonly<Record<string, string>>; readonly rest: string } => {
  const open = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{)?/.exec(line)
  const name = open?.[1] ?? ""
  const labels: Record<string, string> = {}
  let at = name.length
  if (open?.[2] === "{") {
    at += 1
    while (line[at] !== "}") {
      const pair = /^([a-zA-Z_:][a-zA-Z0-9_:]*)="((?:[^"\\]|\\["\\n])*)",?/.exec(line.slice(at))
      if (pair === null) throw new Error(`not a label at ${String(at)}: ${line}`)
      labels[pair[1] ?? ""] = (pair[2] ?? "").replace(/\\(["\\n])/g, (_, character: string) => character === "n" ? "\n" : character)
      at += pair[0].length
    }
    at += 1
  }
  return { name, labels, rest: line.slice(at + 1) }
}

describe("Exposition", () => {
  it("writes help, type and samples, with times where they are given", () => {
    expect(Exposition.document([
      { name: "zones", type: "gauge", help: "Zones\nby \"state\" \\", samples: [{ labels: { state: "a\"b\\c\nd" }, value: 3 }, { value: 4, time: 1_700_000_000_000 }] },
      { name: "nothing", type: "counter", help: "none", samples: [] },
      { name: "1 odd-name", type: "counter", samples: [{ labels: { "a.b": "" }, value: 9_007_199_254_740_993n }] }
    ])).toBe([
      "# HELP zones Zones\\nby \"state\" \\\\",
      "# TYPE zones gauge",
      "zones{state=\"a\\\"b\\\\c\\nd\"} 3",
      "zones 4 1700000000000",
      "# TYPE _1_odd_name counter",
      "_1_odd_name{a_b=\"\"} 9007199254740993",
      ""
    ].join("\n"))
    expect(Exposition.document([])).toBe("")
  })

  it("completes a histogram up to everything, once", () => {
    const text = (buckets: ReadonlyArray<readonly [number, number]>) =>
      Exposition.document([{ name: "s", type: "histogram", samples: Exposition.histogram({ a: "b" }, buckets, 8.05, 4) }])
    const expected = [
      "# TYPE s histogram",
      "s_bucket{a=\"b\",le=\"0.1\"} 1",
      "s_bucket{a=\"b\",le=\"+Inf\"} 4",
      "s_sum{a=\"b\"} 8.05",
      "s_count{a=\"b\"} 4",
      ""
    ].join("\n")
    expect(text([[0.1, 1]])).toBe(expected)
    expect(text([[0.1, 1], [Infinity, 4]])).toBe(expected)
  })

  it("writes what is no finite number as the format names it", () => {
    const samples = [Infinity, -Infinity, Number.NaN].map((value) => ({ value }))
    expect(Exposition.document([{ name: "x", type: "gauge", samples }]).split("\n").slice(1, 4)).toEqual(["x +Inf", "x -Inf", "x NaN"])
  })

  it.prop("labels and values come back as they were", {
    labels: FastCheck.dictionary(FastCheck.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,8}$/), FastCheck.string({ unit: "grapheme" })),
    value: FastCheck.double({ noNaN: true, noDefaultInfinity: true })
  }, ({ labels, value }) => {
    const [, line = "", end] = Exposition.document([{ name: "x", type: "gauge", samples: [{ labels, value }] }]).split("\n")
    const sample = read(line)
    expect(end).toBe("")
    expect(sample.labels).toEqual({ ...labels })
    expect(Number(sample.rest)).toBe(value === 0 ? 0 : value)
  })
})
