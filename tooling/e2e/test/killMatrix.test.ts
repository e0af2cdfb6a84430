import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { churn } from "../src/killMatrixChurn.js"
import { type KillNode, startKillNode } from "../src/killMatrixNode.js"
import { rollingKill } from "../src/rollingKill.js"
import { rows } from "../src/killMatrixRows.js"

/** `pnpm kill-matrix` runs it whole: every row, and 200 kills. Else it is 20 kills in a minute. */
const whole = process.env["REDDWARF_KILL_MATRIX"] === "whole"
const kills = Number(process.env["REDDWARF_KILLS"] ?? (whole ? 200 : 20))
const seed = Number(process.env["REDDWARF_SEED"] ?? 7)

const say = (line: string): void => void process.stdout.write(`${line}\n`)

describe("an agent that is killed again and again", () => {
  let node: KillNode
  beforeAll(async () => {
    node = await startKillNode()
  })
  afterAll(async () => {
    expect(await node.dispose()).toBe(0)
  })

  it.runIf(whole).each(rows)("$name", async (row) => {
    await row.run(node)
  }, 600_000)

  it("disturbs neither who follows a log, nor who loads a pod, and commands run as soon as it is back", async () => {
    const outcome = await rollingKill(node, whole ? 20 : 2)
    say(`${String(outcome.lines)} lines followed, ${String(outcome.requests)} requests answered, ${String(outcome.commands)} commands run`)
    expect(outcome.lines).toBeGreaterThan(20)
    expect(outcome.requests).toBeGreaterThan(100)
  }, 600_000)

  it(`loses nothing over ${String(kills)} kills under churn, and everything agrees at the end`, async () => {
    const outcome = await churn(node, { kills, longestLife: whole ? 5_000 : 3_000, seed, say })
    say(`${String(outcome.created)} pods came and went, ${String(outcome.lines)} lines and ${String(outcome.crashes)} crashes, nothing lost`)
    expect(outcome.created).toBeGreaterThan(kills / 4)
    expect(outcome.lines).toBeGreaterThan(kills * 5)
  }, 3_600_000)
})
