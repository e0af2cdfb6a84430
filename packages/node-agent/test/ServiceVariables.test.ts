import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import { ContainerEnvironment, PodEvents, PodSources, ServiceVariables } from "@reddwarf/node-agent"
import * as Either from "effect/Either"

const service = (namespace: string, name: string, spec: CoreV1.ServiceSpec): CoreV1.Service => ({ apiVersion: "v1", kind: "Service", metadata: { namespace, name }, spec })

const services = [
  service("default", "kubernetes", { clusterIP: "10.96.0.1", ports: [{ name: "https", port: 443 }] }),
  service("app", "red-cache", { clusterIP: "10.96.0.9", ports: [{ name: "main", port: 6379, protocol: "TCP" }, { port: 53, protocol: "UDP" }] }),
  service("app", "headless", { clusterIP: "None", ports: [{ port: 1 }] }),
  service("other", "else", { clusterIP: "10.96.0.8", ports: [{ port: 1 }] }),
  service("app", "six", { clusterIP: "fd00::9", ports: [{ port: 80 }] })
]

const pod = (spec: Partial<CoreV1.PodSpec> = {}): CoreV1.Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", namespace: "app" },
  spec: { containers: [{ name: "c", image: "i", command: ["x"] }], ...spec }
})

describe("ServiceVariables", () => {
  it("name the Services of the namespace, and the API server", () => {
    assert.deepStrictEqual(Object.fromEntries(ServiceVariables.of(pod(), services.slice(0, 4))), {
      KUBERNETES_SERVICE_HOST: "10.96.0.1",
      KUBERNETES_SERVICE_PORT: "443",
      KUBERNETES_SERVICE_PORT_HTTPS: "443",
      KUBERNETES_PORT: "tcp://10.96.0.1:443",
      KUBERNETES_PORT_443_TCP: "tcp://10.96.0.1:443",
      KUBERNETES_PORT_443_TCP_PROTO: "tcp",
      KUBERNETES_PORT_443_TCP_PORT: "443",
      KUBERNETES_PORT_443_TCP_ADDR: "10.96.0.1",
      RED_CACHE_SERVICE_HOST: "10.96.0.9",
      RED_CACHE_SERVICE_PORT: "6379",
      RED_CACHE_SERVICE_PORT_MAIN: "6379",
      RED_CACHE_PORT: "tcp://10.96.0.9:6379",
      RED_CACHE_PORT_6379_TCP: "tcp://10.96.0.9:6379",
      RED_CACHE_PORT_6379_TCP_PROTO: "tcp",
      RED_CACHE_PORT_6379_TCP_PORT: "6379",
      RED_CACHE_PORT_6379_TCP_ADDR: "10.96.0.9",
      RED_CACHE_PORT_53_UDP: "udp://10.96.0.9:53",
      RED_CACHE_PORT_53_UDP_PROTO: "udp",
      RED_CACHE_PORT_53_UDP_PORT: "53",
      RED_CACHE_PORT_53_UDP_ADDR: "10.96.0.9"
    })
    assert.strictEqual(ServiceVariables.of(pod(), services).get("SIX_PORT"), "tcp://[fd00::9]:80")
    const without = ServiceVariables.of(pod({ enableServiceLinks: false }), services)
    assert.isTrue([...without.keys()].every((name) => name.startsWith("KUBERNETES_")))
  })

  it("are under those of the pod, which may refer to them", () => {
    const env = [{ name: "URL", value: "http://$(SIX_SERVICE_HOST)" }, { name: "SIX_PORT", value: "mine" }]
    const container = { name: "c", image: "i", env }
    const inputs = {
      pod: pod({ containers: [container] }),
      facts: { podIP: "", hostIP: "", services, allocatable: { cpuMillis: 0, memoryBytes: 0, ephemeralStorageBytes: 0 } },
      sources: PodSources.empty
    }
    const variables = Either.getOrThrow(ContainerEnvironment.variables(inputs, container))
    assert.deepStrictEqual([variables.get("URL"), variables.get("SIX_PORT"), variables.get("SIX_SERVICE_PORT")], ["http://fd00::9", "mine", "80"])
  })

  it("leave names out that no variable can have, and say so", () => {
    const container = { name: "c", image: "i", envFrom: [{ configMapRef: { name: "cm" } }, { prefix: "x=", secretRef: { name: "s" } }] }
    const configMap: CoreV1.ConfigMap = { apiVersion: "v1", kind: "ConfigMap", metadata: {}, data: { good: "1", "dots.and-dashes": "2", "b=d": "3", "ümlaut": "4" } }
    const inputs = {
      pod: pod({ containers: [container] }),
      facts: { podIP: "", hostIP: "", allocatable: { cpuMillis: 0, memoryBytes: 0, ephemeralStorageBytes: 0 } },
      sources: { ...PodSources.empty, configMaps: new Map([["cm", configMap]]), secrets: new Map([["s", { apiVersion: "v1", kind: "Secret", metadata: {}, data: { k: "" } }]]) }
    }
    const variables = Either.getOrThrow(ContainerEnvironment.variables(inputs, container))
    assert.deepStrictEqual([variables.get("good"), variables.get("dots.and-dashes"), variables.has("b=d"), variables.has("x=k")], ["1", "2", false, false])
    assert.deepStrictEqual(PodEvents.invalidVariables(inputs.pod, inputs).map(({ message }) => message), [
      "Keys [b=d, ümlaut] from the EnvFrom configMap app/cm were skipped since they are considered invalid environment variable names.",
      "Keys [k] from the EnvFrom secret app/s were skipped since they are considered invalid environment variable names."
    ])
  })
})
