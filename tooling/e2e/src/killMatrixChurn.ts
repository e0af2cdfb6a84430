/** SIGKILL of the agent at random moments while pods come and go, and what must be so afterwards. */
import type { KillNode } from "./killMatrixNode.js"
import * as pods from "./killMatrixPods.js"
import { waitFor } from "./waitFor.js"

export interface Options {
  readonly kills: number
  /** Longest life of an agent, in milliseconds; the shortest is none at all. */
  readonly longestLife: number
  /** The same seed gives the same moments and the same load. */
  readonly seed: number
  readonly say: (line: string) => void
}

export interface Outcome {
  readonly kills: number
  readonly created: number
  readonly lines: number
  readonly crashes: number
}

/** Numbers from 0 to 1 that follow from a seed. */
export const randomFrom = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const wait = (millis: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, millis) })

/** Every attempt that ended has its record with its own exit code: none is lost, none is told twice. */
const checkCrashes = async (node: KillNode, name: string, code: number): Promise<number> =>
  await waitFor(`the API to know every crash of ${name}`, async () => {
    const pod = await pods.readPod(node, name)
    const [container] = node.containers(pods.uidOf(pod))
    const [status] = pod.status?.containerStatuses ?? []
    if (container === undefined || status === undefined) return undefined
    for (const exit of container.exits) {
      if (exit.exitCode !== code) throw new Error(`${name}: attempt ${String(exit.attempt)} ended with ${String(exit.exitCode)} (${exit.reason}) instead of ${String(code)}`)
    }
    const last = status.lastState?.terminated ?? status.state?.terminated
    return status.restartCount === Math.max(0, container.attempt) && (container.attempt <= 0 || last?.exitCode === code) ? container.attempt : undefined
  }, { seconds: 60, seen: node.logs })

/** Kills the agent again and again, and checks everything at the end. The node is empty before and after. */
export const churn = async (node: KillNode, options: Options): Promise<Outcome> => {
  const random = randomFrom(options.seed)
  const steady = ["steady-0", "steady-1", "steady-2", "steady-3"]
  for (const name of steady) await pods.createPod(node, name, pods.counting)
  await pods.createPod(node, "crasher", "sleep 0.5; exit 3")
  const lives: Array<pods.Life> = []
  for (const name of steady) lives.push(pods.lifeOf(node, await pods.untilReady(node, name)))
  let stop = false
  let created = 0
  const load = async (): Promise<void> => {
    for (let n = 0; !stop; n++) {
      const name = `churn-${String(n)}`
      try {
        await pods.createPod(node, name, "echo up; while :; do sleep 1; done", { graceSeconds: 1, labels: { churn: "yes" } })
        created += 1
        await wait(random() * 1_500)
        await pods.deletePod(node, name)
      } catch (error) {
        // The server lives: whatever it refuses is a mistake of this program or of the server.
        if (!stop) throw error
      }
      await wait(random() * 300)
    }
  }
  const working = load()
  working.catch(() => undefined)
  for (let kill = 1; kill <= options.kills; kill++) {
    await Promise.race([wait(random() * options.longestLife), working])
    await node.agent.kill()
    if (kill % 4 === 0) await wait(random() * 1_000)
    node.agent.start()
    if (kill % 20 === 0) options.say(`${String(kill)} of ${String(options.kills)} kills`)
  }
  stop = true
  await working
  const { items } = await node.api.listNamespacedPod({ namespace: "default", labelSelector: "churn=yes" })
  for (const pod of items) if (pod.metadata?.deletionTimestamp === undefined) await pods.deletePod(node, pod.metadata?.name ?? "")
  for (const life of lives) await pods.checkLife(node, life)
  const crashes = await checkCrashes(node, "crasher", 3)
  await pods.deletePod(node, "crasher")
  await pods.untilGone(node, "crasher")
  await pods.untilAgreed(node)
  let lines = 0
  for (const name of steady) lines += pods.checkLines(name, await pods.logOf(node, name))
  for (const name of steady) await pods.deletePod(node, name)
  for (const name of steady) await pods.untilGone(node, name)
  await pods.untilAgreed(node)
  return { kills: options.kills, created, lines, crashes }
}
