import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { churn } from "../src/churn.js"
import { type KillNode, startKillNode } from "../src/killMatrixNode.js"
import { peer } from "../src/Peers.js"
import { busyboxLayer, pushImage, type Registry, startRegistry } from "../src/Registry.js"

/** `pnpm churn --minutes 60 --seed 7` takes its time; else it is 45 seconds. */
const minutes = Number(process.env["REDDWARF_CHURN_MINUTES"] ?? 0.75)
const seed = Number(process.env["REDDWARF_SEED"] ?? 7)
const programs = { registry: peer("docker-registry"), busybox: peer("busybox") }
// Roots of images are entered as container runtimes enter them, which only root may.
const missing = Object.values(programs).includes(undefined) || process.getuid?.() !== 0

const say = (line: string): void => void process.stdout.write(`${line}\n`)

describe.skipIf(missing)("pods that come, change, break and go on a host that fails (skipped unless run as root with REDDWARF_PEERS)", () => {
  let node: KillNode
  let registry: Registry
  let images: readonly [string, string]
  beforeAll(async () => {
    registry = await startRegistry(programs.registry ?? "")
    images = [`${registry.host}/team/app:1`, `${registry.host}/team/app:2`]
    for (const image of images) await pushImage(image, busyboxLayer(programs.busybox ?? "", { version: image }), { env: ["PATH=/bin"], workingDir: "/" })
    node = await startKillNode(["--images", "registry", "--eviction-pressure-transition-seconds", "2"])
  })
  afterAll(async () => {
    expect(await node.dispose()).toBe(0)
    await registry.stop()
  })

  it(`leave API, ledger and host in agreement after ${String(minutes)} minutes (seed ${String(seed)})`, async () => {
    const outcome = await churn(node, { millis: minutes * 60_000, seed, pods: 8, images, hangs: minutes >= 5, say })
    say(JSON.stringify(outcome))
    expect(outcome.created).toBeGreaterThan(minutes * 5)
    expect(outcome.faults).toBeGreaterThan(minutes * 5)
  }, minutes * 60_000 + 900_000)
})
