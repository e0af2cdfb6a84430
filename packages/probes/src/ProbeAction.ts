/** What a probe does: runs a command, asks over HTTP, opens a connection, asks a gRPC health service. */
import type { CoreV1 } from "@reddwarf/api-types"
import * as Data from "effect/Data"

/**
 * One attempt's worth of work, with every name and number in it resolved.
 *
 * @category models
 */
export type ProbeAction = Data.TaggedEnum<{
  /** A command in the container; exit code 0 is success. */
  readonly Exec: { readonly argv: ReadonlyArray<string> }
  /** A GET; 200 to 399 is success. `host` is an address or a name without brackets. */
  readonly HttpGet: {
    readonly scheme: "http" | "https"
    readonly host: string
    readonly port: number
    readonly path: string
    readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  }
  /** A connection that can be opened is success. */
  readonly TcpSocket: { readonly host: string; readonly port: number }
  /** `grpc.health.v1.Health/Check` in clear text; SERVING is success. The empty service means the whole server. */
  readonly Grpc: { readonly host: string; readonly port: number; readonly service: string }
  /** Nothing that can be done, such as a port whose name the container does not have. */
  readonly Impossible: { readonly reason: string }
}>

/** @category constructors */
export const ProbeAction = Data.taggedEnum<ProbeAction>()

/** Digits that do not make a port, such as `0`, are no name either. */
const portOf = (port: number | string, container: CoreV1.Container): number | undefined => {
  const number = typeof port === "number"
    ? port
    : container.ports?.find(({ name }) => name === port)?.containerPort ?? (/^\d+$/.test(port) ? Number(port) : undefined)
  return number !== undefined && Number.isInteger(number) && number > 0 && number < 65_536 ? number : undefined
}

const withPort = (
  port: number | string,
  container: CoreV1.Container,
  action: (port: number) => ProbeAction
): ProbeAction => {
  const number = portOf(port, container)
  if (number !== undefined) return action(number)
  return ProbeAction.Impossible({
    reason: typeof port === "number" ? `invalid port number: ${port}` : `couldn't find port: "${port}" in container "${container.name}"`
  })
}

/**
 * The action of a probe. Ports are looked up by name among those of the container; `podAddress` is asked where the probe names no host.
 *
 * @category constructors
 */
export const of = (
  probe: Pick<CoreV1.Probe, "exec" | "grpc" | "httpGet" | "tcpSocket">,
  container: CoreV1.Container,
  podAddress: string
): ProbeAction => {
  const { exec, grpc, httpGet, tcpSocket } = probe
  const hostOf = (host: string | undefined): string => (host === undefined || host === "" ? podAddress : host.replace(/^\[(.*)\]$/, "$1"))
  if (exec !== undefined) {
    const argv = exec.command ?? []
    return argv.length === 0 ? ProbeAction.Impossible({ reason: "the command is empty" }) : ProbeAction.Exec({ argv })
  }
  if (httpGet !== undefined) {
    return withPort(httpGet.port, container, (port) =>
      ProbeAction.HttpGet({
        scheme: httpGet.scheme?.toUpperCase() === "HTTPS" ? "https" : "http",
        host: hostOf(httpGet.host),
        port,
        path: httpGet.path ?? "/",
        headers: (httpGet.httpHeaders ?? []).map(({ name, value }) => [name, value ?? ""] as const)
      }))
  }
  if (tcpSocket !== undefined) {
    return withPort(tcpSocket.port, container, (port) => ProbeAction.TcpSocket({ host: hostOf(tcpSocket.host), port }))
  }
  if (grpc !== undefined) {
    return withPort(grpc.port, container, (port) => ProbeAction.Grpc({ host: podAddress, port, service: grpc.service ?? "" }))
  }
  return ProbeAction.Impossible({ reason: "missing probe handler" })
}

/** Address and port as one word, with brackets around an IPv6 address. @category combinators */
export const hostPort = (host: string, port: number): string => (host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`)

/** A time as Go prints it: `1s`, `1m30s`, `1.5s`, `250ms`. @category combinators */
export const duration = (millis: number): string => {
  if (millis < 1000) return `${millis}ms`
  const hours = Math.floor(millis / 3_600_000)
  const minutes = Math.floor((millis % 3_600_000) / 60_000)
  const seconds = (millis % 60_000) / 1000
  return `${hours > 0 ? `${hours}h` : ""}${hours > 0 || minutes > 0 ? `${minutes}m` : ""}${seconds}s`
}
