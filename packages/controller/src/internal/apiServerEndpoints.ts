/** The Service of the API server and what stands behind it. */
import { isIPv4, isIPv6 } from "node:net"
import { isDeepStrictEqual } from "node:util"
import { type CoreV1, type DiscoveryV1, Kinds, type KubeObject } from "@reddwarf/api-types"
import type { BuiltIn } from "../BuiltInObjects.js"

const ref = { name: "kubernetes", namespace: "default" }

/** The first address of an IPv4 network in CIDR form; undefined for anything else. */
export const firstAddress = (network: string): string | undefined => {
  const [base = "", bits = ""] = network.split("/")
  const length = Number(bits)
  if (!isIPv4(base) || bits === "" || !Number.isInteger(length) || length < 0 || length > 31) return undefined
  const value = base.split(".").reduce((sum, part) => sum * 256 + Number(part), 0)
  const first = value - (value % 2 ** (32 - length)) + 1
  return [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join(".")
}

/** Pods reach neither the loopback network of another zone nor an address that says "any". */
const isReachable = (address: string): boolean =>
  isIPv4(address)
    ? !address.startsWith("127.") && address !== "0.0.0.0" && !address.startsWith("169.254.")
    : isIPv6(address) && address !== "::1" && address !== "::" && !address.toLowerCase().startsWith("fe80:")

/** Replaces part of an object, unless it is so already. */
const keep = (parts: Readonly<Record<string, unknown>>) => (current: KubeObject.KubeObject): KubeObject.KubeObject | undefined => {
  const next = { ...current, ...parts }
  return isDeepStrictEqual(next, current) ? undefined : next
}

export const make = (options: {
  readonly serviceNetwork: string
  readonly address: string
  readonly port: number
}): ReadonlyArray<BuiltIn> => {
  const { address, port } = options
  const clusterIP = firstAddress(options.serviceNetwork)
  const service: Omit<CoreV1.Service, "apiVersion" | "kind"> = {
    metadata: { ...ref, labels: { component: "apiserver", provider: "kubernetes" } },
    spec: {
      type: "ClusterIP",
      ...(clusterIP === undefined ? {} : { clusterIP }),
      sessionAffinity: "None",
      ports: [{ name: "https", protocol: "TCP", port: 443, targetPort: port }]
    }
  }
  if (!isReachable(address)) return [{ kind: Kinds.service, object: service }]
  const subsets: CoreV1.Endpoints["subsets"] = [{ addresses: [{ ip: address }], ports: [{ name: "https", port, protocol: "TCP" }] }]
  const slice: Pick<DiscoveryV1.EndpointSlice, "addressType" | "endpoints" | "ports"> = {
    addressType: isIPv4(address) ? "IPv4" : "IPv6",
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: "https", port, protocol: "TCP" }]
  }
  // Its slice is written here, so none has to be made from the Endpoints.
  const old = { metadata: { ...ref, labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } }, subsets }
  const current = { metadata: { ...ref, labels: { "kubernetes.io/service-name": ref.name } }, ...slice }
  return [
    { kind: Kinds.service, object: service },
    { kind: Kinds.endpoints, object: old, correct: keep({ subsets }) },
    // The kind of address of a slice never changes.
    { kind: Kinds.endpointSlice, object: current, correct: keep({ endpoints: slice.endpoints, ports: slice.ports }) }
  ]
}
