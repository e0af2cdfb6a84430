/** What pods ask for and nodes have. */
import type { CoreV1 } from "@reddwarf/api-types"
import { podsOn, type World } from "./world.js"

/** Understands the forms that the generated clusters use. */
const units: Readonly<Record<string, number>> = { "": 1, Mi: 2 ** 20, Gi: 2 ** 30 }
export const quantity = (text = "0"): number => {
  const [, digits = "", unit = ""] = /^(\d+)(\D*)$/.exec(text) ?? []
  return Number(digits || Number.NaN) * (units[unit] ?? Number.NaN)
}

/** CPU in thousandths, everything else in whole units. */
const amount = (resource: string, text = "0"): number =>
  resource !== "cpu" ? quantity(text) : text.endsWith("m") ? Number(text.slice(0, -1)) : quantity(text) * 1000

type Ask = (container: CoreV1.Container) => number

const sidecar = (container: CoreV1.Container): boolean => container.restartPolicy === "Always"

/**
 * Containers and sidecars run together; an init container runs with the sidecars that were started before it.
 */
const together = (pod: CoreV1.Pod, ask: Ask): number => {
  const inits = pod.spec?.initContainers ?? []
  const sum = (containers: ReadonlyArray<CoreV1.Container>): number => containers.reduce((total, container) => total + ask(container), 0)
  const running = sum(pod.spec?.containers ?? []) + sum(inits.filter(sidecar))
  const starting = inits.map((init, i) => sidecar(init) ? 0 : ask(init) + sum(inits.slice(0, i).filter(sidecar)))
  return Math.max(running, ...starting)
}

const podLevel = new Set(["cpu", "memory"])

/** What the pod asks for of a resource. */
export const request = (pod: CoreV1.Pod, resource: string): number => {
  const ofPod = podLevel.has(resource) ? pod.spec?.resources?.requests?.[resource] : undefined
  const asked = ofPod === undefined
    ? together(pod, (container) => amount(resource, container.resources?.requests?.[resource]))
    : amount(resource, ofPod)
  return asked + amount(resource, pod.spec?.overhead?.[resource])
}

const defaults: Readonly<Record<string, string>> = { cpu: "100m", memory: "200Mi" }

/** As `request`, with a default for each container that does not say. */
export const scoringRequest = (pod: CoreV1.Pod, resource: string): number => {
  const ofPod = pod.spec?.resources?.requests?.[resource]
  const asked = ofPod === undefined
    ? together(pod, (container) => amount(resource, container.resources?.requests?.[resource] ?? defaults[resource]))
    : amount(resource, ofPod)
  return asked + amount(resource, pod.spec?.overhead?.[resource])
}

export const allocatable = (node: CoreV1.Node, resource: string): number => amount(resource, node.status?.allocatable?.[resource])

export const used = (world: World, node: CoreV1.Node, resource: string): number =>
  podsOn(world, node).reduce((sum, pod) => sum + request(pod, resource), 0)

export const scoringUsed = (world: World, node: CoreV1.Node, resource: string): number =>
  podsOn(world, node).reduce((sum, pod) => sum + scoringRequest(pod, resource), 0)
