/** How the health endpoint reaches the API server: by a kubeconfig, or by the service account of its pod. Read before anybody asks. */
import { FileSystem, type Path } from "@effect/platform"
import { KubeConfig } from "@reddwarf/client"
import { type HealthConfig, type NodeSource, Resolver } from "@reddwarf/node-health"
import { Data, Effect, Redacted, Schedule, type Scope } from "effect"
import { readFileSync } from "node:fs"

/** No client can be built. */
export class NoConnection extends Data.TaggedError("NoConnection")<{ readonly message: string }> {}

const serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount"

const optionalFile = (path: string): string => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}

/** Names are found without the thread pool: by what the files of the host say now. */
const lookup = () => {
  const servers = Resolver.parseResolvConf(optionalFile("/etc/resolv.conf"))
  return Resolver.lookup(() => servers, Resolver.parseHosts(optionalFile("/etc/hosts")))
}

/** Keeps a token that changes from time to time: requests get the last one read. */
const kept = <E, R>(read: Effect.Effect<string, E, R>) =>
  Effect.gen(function*() {
    let token: string | undefined = yield* read
    yield* read.pipe(
      Effect.map((next) => {
        token = next
      }),
      // The last one may still be good.
      Effect.ignore,
      Effect.repeat(Schedule.spaced("1 minute")),
      Effect.forkScoped
    )
    return () => token
  })

const inCluster = (host: string, port: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const ca = yield* fs.readFileString(`${serviceAccount}/ca.crt`)
    const token = yield* kept(Effect.map(fs.readFileString(`${serviceAccount}/token`), (text) => text.trim()))
    return { server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`, ca, token }
  }).pipe(Effect.mapError((error) => new NoConnection({ message: `service account: ${error.message}` })))

/** The connection of a configuration; lives as long as the scope. */
export const of = (environment: Readonly<Record<string, string | undefined>>) => (config: HealthConfig.HealthConfig): Effect.Effect<NodeSource.Connection, NoConnection, Scope.Scope | FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function*() {
    const host = environment["KUBERNETES_SERVICE_HOST"] ?? ""
    const port = environment["KUBERNETES_SERVICE_PORT"] ?? "443"
    if (host !== "") return yield* inCluster(host, port)
    if (config.kubeconfig === undefined) return yield* new NoConnection({ message: "neither --kubeconfig nor a service account is given" })
    const { ca, cert, insecureSkipTlsVerify, key, server, tlsServerName, token } = yield* KubeConfig.load(config.kubeconfig).pipe(
      Effect.mapError(({ message }) => new NoConnection({ message }))
    )
    return {
      server,
      insecureSkipTlsVerify,
      lookup: lookup(),
      ...(tlsServerName === undefined ? {} : { tlsServerName }),
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined || key === undefined ? {} : { cert, key: Redacted.value(key) }),
      ...(token === undefined ? {} : {
        token: yield* kept(Effect.map(token, Redacted.value)).pipe(Effect.mapError(({ message }) => new NoConnection({ message })))
      })
    }
  })
