/** Pods that come, change, break and go on a host that fails every now and then; at the end API, ledger and host are held against each other. */
import { PatchStrategy, setHeaderOptions, type V1Container, type V1Pod } from "@kubernetes/client-node"
import * as churnFaults from "./churnFaults.js"
import { differences, survey, type Survey } from "./hostSurvey.js"
import { randomFrom } from "./killMatrixChurn.js"
import type { KillNode } from "./killMatrixNode.js"
import { waitFor } from "./waitFor.js"

const namespace = "default"

export interface Options {
  /** How long pods come and go. */
  readonly millis: number
  /** The same seed gives the same pods and the same faults. */
  readonly seed: number
  /** Most pods at a time. */
  readonly pods: number
  /** Two versions of what pods run; one where programs of the zones are run. */
  readonly images: readonly [string, ...ReadonlyArray<string>]
  /** Whether commands of the host may hang: a run of less than some minutes has no time for them. */
  readonly hangs: boolean
  readonly say: (line: string) => void
}

export interface Outcome {
  readonly created: number
  readonly updated: number
  readonly resized: number
  readonly deleted: number
  readonly faults: number
  /** Pods that were there when everything was first compared. */
  readonly compared: number
}

const wait = (millis: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, millis) })

const statusOf = (error: unknown): number | undefined =>
  typeof error === "object" && error !== null && "code" in error && typeof error.code === "number" ? error.code : undefined

/** Runs for a while, and its health is a file that it takes away and brings back by itself. */
const moody = (seconds: number): string =>
  `touch ok; trap 'exit 0' TERM; i=0; while :; do i=$((i+1)); echo line $i; sleep 0.5; if [ $((i % ${String(seconds * 2)})) = 0 ]; then rm -f ok; else [ -e ok ] || touch ok; fi; done`

const amounts = (step: number) => ({ cpu: `${String(10 * step)}m`, memory: "32Mi" })

const containersOf = (kind: number, image: string, random: () => number): ReadonlyArray<V1Container> => {
  const resources = { requests: amounts(1), limits: amounts(2) }
  const probe = { exec: { command: ["/bin/sh", "-c", "test -e ok"] }, periodSeconds: 1, failureThreshold: 2, timeoutSeconds: 5 }
  const script = (text: string): Pick<V1Container, "image" | "command" | "resources"> => ({ image, command: ["/bin/sh", "-c", text], resources })
  const steady = { name: "main", ...script("trap 'exit 0' TERM; i=0; while :; do echo line $i; i=$((i+1)); sleep 0.5; done") }
  switch (kind) {
    case 0:
      return [{ name: "main", ...script(moody(6 + Math.floor(random() * 10))), readinessProbe: probe }]
    case 1:
      return [{ name: "main", ...script(moody(10 + Math.floor(random() * 10))), livenessProbe: probe }]
    case 2:
      return [steady, { name: "side", ...script("while :; do sleep 1; done") }]
    case 3:
      return [{ ...steady, volumeMounts: [{ name: "scratch", mountPath: "/srv/scratch" }] }]
    case 4:
      return [{ name: "main", ...script("sleep 3; exit 2") }]
    default:
      return [{ ...steady, lifecycle: { preStop: { exec: { command: ["/bin/sh", "-c", "sleep 0.3"] } } } }]
  }
}

/** Waits until nothing differs for two looks in a row, and gives the second. */
const untilAgreed = async (node: KillNode, seconds: number, before: (found: Survey) => Promise<void> = () => Promise.resolve()): Promise<Survey> => {
  let last: ReadonlyArray<string> = []
  let agreedBefore = false
  return await waitFor("API, ledger and host to agree", async () => {
    const found = await survey(node)
    await before(found)
    last = differences(found)
    const agreed = last.length === 0
    const twice = agreed && agreedBefore
    agreedBefore = agreed
    return twice ? found : undefined
  }, { seconds, everyMillis: 500, seen: () => `${last.join("\n")}\n${node.logs()}` })
}

/** The node is empty before and after. */
export const churn = async (node: KillNode, options: Options): Promise<Outcome> => {
  const random = randomFrom(options.seed)
  const empty = await untilAgreed(node, 60)
  const alive = new Map<string, string>()
  const counts = { created: 0, updated: 0, resized: 0, deleted: 0, faults: 0 }
  const pick = (): string | undefined => [...alive.keys()][Math.floor(random() * alive.size)]

  const create = async (name: string): Promise<void> => {
    const kind = Math.floor(random() * 6)
    const [image] = options.images
    const body: V1Pod = {
      metadata: { name, labels: { churn: String(kind) } },
      spec: {
        terminationGracePeriodSeconds: 1,
        ...(kind === 3 ? { volumes: [{ name: "scratch", emptyDir: {} }] } : {}),
        ...(kind === 5 ? { initContainers: [{ name: "first", image, command: ["/bin/sh", "-c", "echo first"] }] } : {}),
        containers: [...containersOf(kind, image, random)]
      }
    }
    await node.api.createNamespacedPod({ namespace, body })
    alive.set(name, image)
    counts.created += 1
  }
  /** What does not change it is that it went meanwhile, or is changed by somebody else. */
  const unlessGone = async (change: () => Promise<unknown>): Promise<boolean> => {
    try {
      await change()
      return true
    } catch (error) {
      const code = statusOf(error)
      if (code === 404 || code === 409) return false
      throw error
    }
  }
  const remove = async (name: string): Promise<void> => {
    alive.delete(name)
    const gracePeriodSeconds = random() < 0.2 ? 0 : undefined
    if (await unlessGone(() => node.api.deleteNamespacedPod({ namespace, name, ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }) }))) counts.deleted += 1
  }
  const merge = setHeaderOptions("Content-Type", PatchStrategy.StrategicMergePatch)
  const update = async (name: string): Promise<void> => {
    const image = options.images.find((other) => other !== alive.get(name))
    if (image === undefined) return
    if (await unlessGone(() => node.api.patchNamespacedPod({ namespace, name, body: { spec: { containers: [{ name: "main", image }] } } }, merge))) {
      alive.set(name, image)
      counts.updated += 1
    }
  }
  const resize = async (name: string): Promise<void> => {
    const resources = { requests: amounts(1), limits: amounts(2 + Math.floor(random() * 4)) }
    if (await unlessGone(() => node.api.patchNamespacedPodResize({ namespace, name, body: { spec: { containers: [{ name: "main", resources }] } } }, merge))) counts.resized += 1
  }

  const startedAt = performance.now()
  let cleared = startedAt
  let told = startedAt
  for (let n = 0; performance.now() - startedAt < options.millis; n++) {
    const dice = random()
    const name = pick()
    if (name === undefined || (dice < 0.4 && alive.size < options.pods)) await create(`churn-${String(n)}`)
    else if (dice < 0.6) {
      await remove(name)
      // Another pod of the same name, while the first may still be ending.
      if (random() < 0.2) await unlessGone(() => create(name))
    } else if (dice < 0.8) await update(name)
    else await resize(name)
    if (random() < 0.3) {
      await node.fault(...churnFaults.next(random, options))
      counts.faults += 1
    }
    // What nothing met is not to pile up, and a full disk ends.
    if (performance.now() - cleared > 8_000) {
      await node.fault("clear")
      cleared = performance.now()
    }
    if (performance.now() - told > 60_000) {
      told = performance.now()
      options.say(`${String(Math.round((told - startedAt) / 60_000))} min: ${JSON.stringify(counts)}, ${String(alive.size)} pods`)
    }
    await wait(random() * 800)
  }
  await node.fault("clear")
  // What breaks by itself has no end, and what the node has ended for want of room comes not again: both go, the others stay and are compared.
  const { pods } = await untilAgreed(node, 420, async (found) => {
    for (const { metadata, status } of found.pods) {
      const isOver = ["0", "1", "4"].includes(metadata?.labels?.["churn"] ?? "") || status?.phase === "Failed" || status?.phase === "Succeeded"
      if (isOver && metadata?.deletionTimestamp === undefined) await remove(metadata?.name ?? "")
    }
  })
  for (const pod of pods) await remove(pod.metadata?.name ?? "")
  const { rest } = await untilAgreed(node, 240)
  if (rest !== empty.rest) throw new Error(`something is left on the host:\nbefore ${empty.rest}\nafter  ${rest}`)
  return { ...counts, compared: pods.length }
}
