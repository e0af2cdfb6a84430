import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as logPieces from "../src/internal/logPieces.js"

/** A log as an agent sends it from a place on: where it begins, then pieces of these sizes. */
const sent = (text: string, from: number, sizes: ReadonlyArray<number>): Buffer => {
  let wire = `0.7.${from}.l 0\n`
  let at = from
  for (let n = 0; at < text.length; n++) {
    const piece = text.slice(at, at + (sizes[n % sizes.length] ?? 1))
    at += piece.length
    wire += `0.7.${at}.l ${piece.length}\n${piece}`
  }
  return Buffer.from(`${wire}end 0\n`, "latin1")
}

describe("a log in pieces", () => {
  const sizes = FastCheck.array(FastCheck.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 })
  const visits = FastCheck.array(FastCheck.record({ cut: FastCheck.integer({ min: 0, max: 120 }), chunk: FastCheck.integer({ min: 1, max: 50 }), sizes }), { minLength: 1, maxLength: 12 })

  it("comes once and whole, wherever its agents are cut off and however they cut it", () => {
    FastCheck.assert(FastCheck.property(FastCheck.integer({ min: 0, max: 300 }), visits, (length, visits) => {
      const text = Array.from({ length }, (_, n) => String.fromCharCode(33 + n % 90)).join("")
      let shown = ""
      let ended = false
      let progress: logPieces.Progress | undefined
      for (const [n, visit] of visits.entries()) {
        if (ended) break
        const reader = logPieces.reader(progress)
        const wire = sent(text, progress === undefined ? 0 : Number(progress.place.split(".")[2]), visit.sizes)
        // The last one is not cut off.
        const end = n === visits.length - 1 ? wire.length : Math.min(visit.cut, wire.length)
        for (let at = 0; at < end && !ended; at += visit.chunk) {
          const taken = reader.push(wire.subarray(at, Math.min(end, at + visit.chunk)))
          assert.isDefined(taken)
          shown += Buffer.concat(taken?.bytes ?? []).toString("latin1")
          progress = reader.progress() ?? progress
          ended = taken?.ended ?? false
        }
      }
      assert.isTrue(ended)
      assert.strictEqual(shown, text)
    }))
  })

  it("leaves nothing out of a log that begins elsewhere than it was asked for", () => {
    const reader = logPieces.reader({ place: "0.7.10.l", beyond: 4 })
    const taken = reader.push(Buffer.from("0.9.0.l 0\n0.9.6.l 6\nabcdefend 0\n"))
    assert.strictEqual(Buffer.concat(taken?.bytes ?? []).toString(), "abcdef")
  })

  it("is told from what is none", () => {
    assert.isUndefined(logPieces.reader().push(Buffer.from("x".repeat(200))))
    assert.isUndefined(logPieces.reader().push(Buffer.from("a line\n")))
  })
})
