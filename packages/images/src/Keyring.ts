/**
 * Credentials for registries, from the pull secrets of pods, and which of them fit an image.
 *
 * The rules are those of a kubelet: an entry is for a host, or for a host and the beginning of a path; `*` stands for one label of a
 * host, other wildcards as in file names; the most specific entry is tried first, then the others that fit.
 */
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { InvalidPullSecret } from "./ImageError.js"
import { defaultRegistry } from "./ImageReference.js"
import { globMatches } from "./internal/glob.js"

/** How to log in. @category models */
export interface Credential {
  readonly username: string
  readonly password: Redacted.Redacted
  /** Asks the token server for tokens instead of the password. */
  readonly identityToken?: Redacted.Redacted
  /** Is a token itself. */
  readonly registryToken?: Redacted.Redacted
}

/** A Kubernetes Secret: its values are base64. @category models */
export interface PullSecret {
  readonly name: string
  readonly namespace?: string
  /** `kubernetes.io/dockerconfigjson` or `kubernetes.io/dockercfg`. */
  readonly type: string
  readonly data: Readonly<Record<string, string>>
}

interface Entry {
  /** Host, with port and path where given. */
  readonly key: string
  readonly credential: Credential
}

/** Credentials of one pod. @category models */
export interface Keyring {
  /** The most specific first. */
  readonly entries: ReadonlyArray<Entry>
}

/** No credentials. @category constructors */
export const empty: Keyring = { entries: [] }

const optional = Schema.optionalWith(Schema.String, { nullable: true, default: () => "" })

const Auths = Schema.Record({
  key: Schema.String,
  value: Schema.Struct({ username: optional, password: optional, auth: optional, identitytoken: optional, registrytoken: optional })
})

const decodeConfigJson = Schema.decodeUnknownEither(Schema.parseJson(Schema.Struct({ auths: Schema.optionalWith(Auths, { nullable: true, default: () => ({}) }) })))
const decodeConfig = Schema.decodeUnknownEither(Schema.parseJson(Auths))

/** `https://host/v2/path` and `host/path` are the same entry. */
const keyOf = (location: string): string | undefined => {
  const url = /^https?:\/\//.test(location) ? location : `https://${location}`
  const parts = /^https?:\/\/([^/?#]+)(\/[^?#]*)?/.exec(url)
  if (parts === null) return undefined
  const path = (parts[2] ?? "").replace(/^\/v[12](?=\/|$)/, "")
  return `${parts[1] ?? ""}${path === "/" ? "" : path}`
}

const credentialOf = (auth: (typeof Auths.Type)[string]): Credential | string | undefined => {
  let { password, username } = auth
  if (auth.auth !== "") {
    const text = Buffer.from(auth.auth, "base64").toString("utf8")
    const colon = text.indexOf(":")
    if (colon < 0) return "its auth is not the base64 of user:password"
    username = text.slice(0, colon)
    password = text.slice(colon + 1).replace(/\0+$/, "")
  }
  if (username === "" && password === "" && auth.identitytoken === "" && auth.registrytoken === "") return undefined
  // Either would change the header it becomes a part of.
  if (/[\r\n]/.test(`${username}${auth.registrytoken}`)) return "it has a line break in its user name or token"
  return {
    username,
    password: Redacted.make(password),
    ...(auth.identitytoken === "" ? {} : { identityToken: Redacted.make(auth.identitytoken) }),
    ...(auth.registrytoken === "" ? {} : { registryToken: Redacted.make(auth.registrytoken) })
  }
}

/** Longer keys with the same beginning come first, so the entry for a path is tried before the one for its host. */
const arrange = (entries: ReadonlyArray<Entry>): Keyring => ({
  entries: entries.toSorted((a, b) => (a.key < b.key ? 1 : a.key > b.key ? -1 : 0))
})

/** The credentials of a Docker config: the text of `.dockerconfigjson`, or of the older `.dockercfg`. @category constructors */
export const fromConfig = (text: string, options: { readonly source: string; readonly legacy?: boolean }): Either.Either<Keyring, InvalidPullSecret> => {
  const refuse = (reason: string) => Either.left(new InvalidPullSecret({ secret: options.source, reason }))
  const decoded: Either.Either<typeof Auths.Type, unknown> = options.legacy === true
    ? decodeConfig(text)
    : Either.map(decodeConfigJson(text), ({ auths }) => auths)
  // The parser's message would show the secret.
  if (Either.isLeft(decoded)) return refuse(options.legacy === true ? "it is not a JSON object of registries" : "it is not a JSON object with auths")
  const entries: Array<Entry> = []
  for (const [location, auth] of Object.entries(decoded.right)) {
    const key = keyOf(location)
    if (key === undefined) return refuse(`"${location}" is not a registry`)
    const credential = credentialOf(auth)
    if (typeof credential === "string") return refuse(`entry ${location}: ${credential}`)
    if (credential !== undefined) entries.push({ key, credential })
  }
  return Either.right(arrange(entries))
}

const keysOfType: Readonly<Record<string, { readonly key: string; readonly legacy: boolean }>> = {
  "kubernetes.io/dockerconfigjson": { key: ".dockerconfigjson", legacy: false },
  "kubernetes.io/dockercfg": { key: ".dockercfg", legacy: true }
}

/** The credentials of a pod's pull secrets. Secrets of other types, or without their key, have none. @category constructors */
export const fromSecrets = (secrets: ReadonlyArray<PullSecret>): Either.Either<Keyring, InvalidPullSecret> => {
  const entries: Array<Entry> = []
  for (const secret of secrets) {
    const kind = keysOfType[secret.type]
    const value = kind === undefined ? undefined : secret.data[kind.key]
    if (kind === undefined || value === undefined || value === "") continue
    const source = secret.namespace === undefined ? secret.name : `${secret.namespace}/${secret.name}`
    const keyring = fromConfig(Buffer.from(value, "base64").toString("utf8"), { source, legacy: kind.legacy })
    if (Either.isLeft(keyring)) return Either.left(keyring.left)
    entries.push(...keyring.right.entries)
  }
  return Either.right(arrange(entries))
}

/** One pair of name and password for one host. @category constructors */
export const basic = (host: string, username: string, password: Redacted.Redacted): Keyring => ({
  entries: [{ key: keyOf(host) ?? host, credential: { username, password } }]
})

const split = (key: string): { readonly host: string; readonly port: string; readonly path: string } => {
  const slash = key.indexOf("/")
  const authority = slash < 0 ? key : key.slice(0, slash)
  const port = /:(\d+)$/.exec(authority)?.[1] ?? ""
  return { host: port === "" ? authority : authority.slice(0, -port.length - 1), port, path: slash < 0 ? "" : key.slice(slash) }
}

/** Whether an entry is for an image, named by registry and repository. @category combinators */
export const matches = (key: string, name: string): boolean => {
  const entry = split(key)
  const image = split(name)
  const patterns = entry.host.split(".")
  const labels = image.host.split(".")
  return entry.port === image.port && patterns.length === labels.length && image.path.startsWith(entry.path) &&
    patterns.every((pattern, index) => globMatches(pattern, labels[index] ?? ""))
}

/** The credentials to try for a repository, in this order. @category combinators */
export const lookup = (keyring: Keyring, registry: string, repository: string): ReadonlyArray<Credential> => {
  const fitting = keyring.entries.filter(({ key }) => matches(key, `${registry}/${repository}`))
  // The default registry is known by the name of its former index.
  const found = fitting.length > 0 || registry !== defaultRegistry ? fitting : keyring.entries.filter(({ key }) => key === `index.${defaultRegistry}`)
  return found.map(({ credential }) => credential)
}
