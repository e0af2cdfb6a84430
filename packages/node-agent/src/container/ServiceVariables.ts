/** The variables by which a container finds the Services of its namespace, as Docker's links named them. Pure. */
import type { CoreV1 } from "@reddwarf/api-types"

/** Name and namespace of the Service by which programs find the API server; known in every namespace. */
const apiServer = { namespace: "default", name: "kubernetes" }

const upper = (name: string): string => name.toUpperCase().replaceAll("-", "_")

/** A Service without an address of its own cannot be named by one. */
const addressOf = ({ spec }: CoreV1.Service): string | undefined => {
  const { clusterIP = "" } = spec ?? {}
  return clusterIP === "" || clusterIP === "None" ? undefined : clusterIP
}

const hostPort = (address: string, port: number): string => address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`

const ofService = (service: CoreV1.Service): ReadonlyArray<readonly [name: string, value: string]> => {
  const address = addressOf(service)
  const ports = service.spec?.ports ?? []
  const [first] = ports
  if (address === undefined || first === undefined) return []
  const prefix = upper(service.metadata.name ?? "")
  const url = ({ port, protocol = "TCP" }: CoreV1.ServicePort) => `${protocol.toLowerCase()}://${hostPort(address, port)}`
  return [
    [`${prefix}_SERVICE_HOST`, address],
    [`${prefix}_SERVICE_PORT`, String(first.port)],
    ...ports.flatMap(({ name = "", port }): ReadonlyArray<readonly [string, string]> => name === "" ? [] : [[`${prefix}_SERVICE_PORT_${upper(name)}`, String(port)]]),
    [`${prefix}_PORT`, url(first)],
    ...ports.flatMap((port): ReadonlyArray<readonly [string, string]> => {
      const { protocol = "TCP" } = port
      const name = `${prefix}_PORT_${port.port}_${protocol.toUpperCase()}`
      return [[name, url(port)], [`${name}_PROTO`, protocol.toLowerCase()], [`${name}_PORT`, String(port.port)], [`${name}_ADDR`, address]]
    })
  ]
}

/**
 * The variables for a pod: of the Services of its namespace unless `enableServiceLinks` is false, and of that of the API server in any case.
 *
 * @category constructors
 */
export const of = (pod: CoreV1.Pod, services: ReadonlyArray<CoreV1.Service>): ReadonlyMap<string, string> => {
  const { namespace = "" } = pod.metadata
  const linked = pod.spec?.enableServiceLinks !== false
  const isApiServer = ({ metadata }: CoreV1.Service) => metadata.namespace === apiServer.namespace && metadata.name === apiServer.name
  const chosen = services.filter((service) => isApiServer(service) || (linked && service.metadata.namespace === namespace))
  // A Service of the same name in the pod's own namespace is the nearer one.
  const near = new Set(chosen.filter(({ metadata }) => metadata.namespace === namespace).map(({ metadata }) => metadata.name))
  // In an order of their own: the same Services are the same variables.
  const order = ({ metadata: { name = "", namespace = "" } }: CoreV1.Service) => `${namespace}/${name}`
  return new Map(chosen.toSorted((a, b) => (order(a) < order(b) ? -1 : 1)).filter((service) => service.metadata.namespace === namespace || !near.has(service.metadata.name)).flatMap(ofService))
}
