/**
 * Where an API server is and how to prove who one is to it: the parts of a kubeconfig file that this client needs.
 *
 * Supported are client certificates and bearer tokens, each inline or in a file. A user who can only log in with a password, an exec
 * plugin or an auth provider is refused with a message that says so.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as yaml from "yaml"

/**
 * A kubeconfig cannot be used. `source` is the file, or what stands in for it.
 *
 * @category errors
 */
export class KubeConfigInvalid extends Schema.TaggedError<KubeConfigInvalid>()("KubeConfigInvalid", {
  source: Schema.String,
  detail: Schema.String,
  cause: Schema.optional(Schema.Defect)
}) {
  override get message(): string {
    return `kubeconfig ${this.source}: ${this.detail}`
  }
}

/**
 * One context of a kubeconfig, resolved. Certificates and keys are PEM text.
 *
 * @category models
 */
export interface KubeConfig {
  /** Base URL of the server, without a trailing slash. */
  readonly server: string
  /** Name that the server's certificate must have, if not the host of `server`. */
  readonly tlsServerName?: string
  /** Authority that must have signed the server's certificate; the system's authorities if absent. */
  readonly ca?: string
  /** Accept any certificate of the server. Only for experiments. */
  readonly insecureSkipTlsVerify: boolean
  readonly cert?: string
  readonly key?: Redacted.Redacted
  /** The bearer token as it is now; a token from a file is read again at most once a minute, because such tokens are rotated. */
  readonly token?: Effect.Effect<Redacted.Redacted, KubeConfigInvalid>
  /** Namespace for requests that name none. */
  readonly namespace: string
}

const optional = Schema.optionalWith(Schema.String, { nullable: true })

const File = Schema.Struct({
  "current-context": optional,
  clusters: Schema.optionalWith(
    Schema.Array(Schema.Struct({
      name: Schema.String,
      cluster: Schema.Struct({
        server: Schema.String,
        "tls-server-name": optional,
        "certificate-authority": optional,
        "certificate-authority-data": optional,
        "insecure-skip-tls-verify": Schema.optionalWith(Schema.Boolean, { nullable: true }),
        "proxy-url": optional
      })
    })),
    { nullable: true, default: () => [] }
  ),
  users: Schema.optionalWith(
    Schema.Array(Schema.Struct({
      name: Schema.String,
      user: Schema.optionalWith(
        Schema.Struct({
          "client-certificate": optional,
          "client-certificate-data": optional,
          "client-key": optional,
          "client-key-data": optional,
          token: optional,
          tokenFile: optional,
          username: optional,
          exec: Schema.optional(Schema.Unknown),
          "auth-provider": Schema.optional(Schema.Unknown)
        }),
        { nullable: true, default: () => ({}) }
      )
    })),
    { nullable: true, default: () => [] }
  ),
  contexts: Schema.optionalWith(
    Schema.Array(Schema.Struct({
      name: Schema.String,
      context: Schema.Struct({ cluster: Schema.String, user: optional, namespace: optional })
    })),
    { nullable: true, default: () => [] }
  )
})

const decodeFile = Schema.decodeUnknown(File)

/**
 * How to read a kubeconfig.
 *
 * @category models
 */
export interface Options {
  /** Context to use instead of the file's `current-context`. */
  readonly context?: string
}

/**
 * Reads the text of a kubeconfig. Relative file names in it are taken from `directory`; `source` names it in errors.
 *
 * @category constructors
 */
export const parse = Effect.fn("KubeConfig.parse")(function*(
  text: string,
  options: Options & { readonly source: string; readonly directory: string }
): Effect.fn.Return<KubeConfig, KubeConfigInvalid, FileSystem.FileSystem | Path.Path> {
  const fileSystem = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const { directory, source } = options
  const invalid = (detail: string, cause?: unknown) => new KubeConfigInvalid({ source, detail, ...(cause === undefined ? {} : { cause }) })

  const json = yield* Effect.try({ try: (): unknown => yaml.parse(text), catch: (cause) => invalid(`is not YAML: ${String(cause)}`, cause) })
  const file = yield* Effect.mapError(decodeFile(json), (cause) => invalid(`does not have the form of a kubeconfig: ${cause.message}`, cause))

  const contextName = options.context ?? file["current-context"] ?? ""
  if (contextName === "") return yield* invalid("current-context is not set; set it, or choose a context")
  const context = file.contexts.find((each) => each.name === contextName)?.context
  if (context === undefined) {
    const names = file.contexts.map((each) => each.name).join(", ")
    return yield* invalid(`there is no context ${JSON.stringify(contextName)}; the file has: ${names === "" ? "none" : names}`)
  }
  const cluster = file.clusters.find((each) => each.name === context.cluster)?.cluster
  if (cluster === undefined) return yield* invalid(`context ${contextName} names the cluster ${JSON.stringify(context.cluster)}, which is missing`)
  const user = context.user === undefined || context.user === "" ? {} : file.users.find((each) => each.name === context.user)?.user
  if (user === undefined) return yield* invalid(`context ${contextName} names the user ${JSON.stringify(context.user)}, which is missing`)

  const read = (name: string) =>
    Effect.mapError(fileSystem.readFileString(path.resolve(directory, name)), (cause) => invalid(`cannot read ${name}: ${cause.message}`, cause))
  // Inline data wins over a file, as in every Kubernetes client.
  const material = (field: string, data: string | undefined, name: string | undefined) =>
    data !== undefined && data !== ""
      ? Effect.succeed(Buffer.from(data, "base64").toString("utf8")).pipe(
        Effect.filterOrFail((pem) => pem.includes("-----BEGIN "), () => invalid(`${field}-data is not the base64 of a PEM text`))
      )
      : name !== undefined && name !== ""
      ? read(name)
      : Effect.succeed(undefined)

  const ca = yield* material("certificate-authority", cluster["certificate-authority-data"], cluster["certificate-authority"])
  const cert = yield* material("client-certificate", user["client-certificate-data"], user["client-certificate"])
  const key = yield* material("client-key", user["client-key-data"], user["client-key"])
  if ((cert === undefined) !== (key === undefined)) {
    return yield* invalid(`user ${context.user} has a client ${cert === undefined ? "key without a certificate" : "certificate without a key"}`)
  }
  const token = yield* tokenOf(user, (name) => Effect.map(read(name), (content) => Redacted.make(content.trim())))
  if (cert === undefined && token === undefined) {
    const unsupported = ([["exec", "an exec plugin"], ["auth-provider", "an auth provider"], ["username", "a password"]] as const)
      .find(([field]) => user[field] !== undefined)
    if (unsupported !== undefined) {
      const [, method] = unsupported
      return yield* invalid(`user ${context.user} logs in with ${method}, which is not supported; use a client certificate or a token`)
    }
  }
  if (cluster["proxy-url"] !== undefined && cluster["proxy-url"] !== "") {
    return yield* invalid(`cluster ${context.cluster} is reached through proxy-url, which is not supported`)
  }
  if (!/^https?:\/\/[^/]/.test(cluster.server)) {
    return yield* invalid(`the server of cluster ${context.cluster} is no http or https URL: ${cluster.server}`)
  }
  return {
    server: cluster.server.replace(/\/+$/, ""),
    insecureSkipTlsVerify: cluster["insecure-skip-tls-verify"] ?? false,
    namespace: context.namespace === undefined || context.namespace === "" ? "default" : context.namespace,
    ...(cluster["tls-server-name"] === undefined ? {} : { tlsServerName: cluster["tls-server-name"] }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key: Redacted.make(key) }),
    ...(token === undefined ? {} : { token })
  }
})

const tokenOf = (
  user: { readonly token?: string | undefined; readonly tokenFile?: string | undefined },
  read: (name: string) => Effect.Effect<Redacted.Redacted, KubeConfigInvalid>
): Effect.Effect<Effect.Effect<Redacted.Redacted, KubeConfigInvalid> | undefined> => {
  if (user.token !== undefined && user.token !== "") return Effect.succeed(Effect.succeed(Redacted.make(user.token)))
  return user.tokenFile !== undefined && user.tokenFile !== ""
    ? Effect.cachedWithTTL(read(user.tokenFile), "1 minute")
    : Effect.succeed(undefined)
}

/**
 * Reads a kubeconfig file.
 *
 * @category constructors
 */
export const load = Effect.fn("KubeConfig.load")(function*(
  file: string,
  options: Options = {}
): Effect.fn.Return<KubeConfig, KubeConfigInvalid, FileSystem.FileSystem | Path.Path> {
  const fileSystem = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const text = yield* Effect.mapError(
    fileSystem.readFileString(file),
    (cause) => new KubeConfigInvalid({ source: file, detail: `cannot be read: ${cause.message}`, cause })
  )
  return yield* parse(text, { ...options, source: file, directory: path.dirname(path.resolve(file)) })
})
