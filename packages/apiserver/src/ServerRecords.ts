/**
 * What a server writes down about itself in `kube-system`: the Lease that says it is alive, and the ConfigMap from which
 * servers that extend the API learn whose client certificates are good.
 */
import { Timestamp } from "@reddwarf/api-types"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { createHash, randomUUID } from "node:crypto"
import { hostname } from "node:os"
import * as ApiServer from "./ApiServer.js"
import { equals, get } from "./internal/jsonValue.js"
import * as UserInfo from "./authentication/UserInfo.js"

/** Settings, with defaults for the host. @category models */
export interface Options {
  /** Authority of client certificates, as PEM. */
  readonly clientAuthority: string
  /** Name of the host. Default: that of this machine. */
  readonly host?: string
}

const alphabet = "abcdefghijklmnopqrstuvwxyz234567"

/** Base 32 (RFC 4648) in small letters, without padding. */
const base32 = (bytes: Uint8Array): string => {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("")
  return (bits.match(/.{1,5}/g) ?? []).map((five) => alphabet[Number.parseInt(five.padEnd(5, "0"), 2)]).join("")
}

/** The name under which a server on this host is known. @category constructors */
export const identityOf = (host: string): string => `apiserver-${base32(createHash("sha256").update(host).digest().subarray(0, 16))}`

const leases = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"
const configMaps = "/api/v1/namespaces/kube-system/configmaps"
const authentication = "extension-apiserver-authentication"

/** As often as Kubernetes does it. */
const every = "10 seconds"
const leaseSeconds = 3600

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const request = (method: string, url: string, body?: object) =>
  Effect.gen(function*() {
    const api = yield* ApiServer.ApiServer
    const answer = yield* api.handle({
      method,
      url,
      headers: method === "PATCH" ? { "content-type": "application/merge-patch+json" } : {},
      body: Effect.succeed(body === undefined ? new Uint8Array(0) : encoder.encode(JSON.stringify(body))),
      user: UserInfo.loopback
    })
    const json: unknown = answer.body instanceof Uint8Array ? JSON.parse(decoder.decode(answer.body)) : undefined
    return { status: answer.status, json }
  })

/** Creates an object, or brings those of its fields up to date that are given here. */
const ensure = (collection: string, object: { readonly metadata: { readonly name: string }; readonly [field: string]: unknown }, field: "data" | "spec") =>
  Effect.gen(function*() {
    const url = `${collection}/${object.metadata.name}`
    const wanted = get(object, field)
    const found = yield* request("GET", url)
    if (found.status === 404) return yield* request("POST", collection, object)
    return equals(get(found.json, field), wanted) ? found : yield* request("PATCH", url, { [field]: wanted })
  }).pipe(Effect.tap(({ json, status }) =>
    status < 400 ? Effect.void : Effect.logWarning(`the server cannot write down ${object.metadata.name}: ${String(get(json, "message"))}`)))

const run = ({ clientAuthority, host = hostname() }: Options) =>
  Effect.gen(function*() {
    const identity = identityOf(host)
    const holderIdentity = `${identity}_${randomUUID()}`
    const lease = {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name: identity, labels: { "apiserver.kubernetes.io/identity": "kube-apiserver", "kubernetes.io/hostname": host } }
    }
    const config = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: authentication },
      data: { "client-ca-file": clientAuthority }
    }
    const pass = Effect.gen(function*() {
      const renewTime = Timestamp.microsFromMillis(yield* Clock.currentTimeMillis)
      yield* ensure(configMaps, config, "data")
      yield* ensure(leases, { ...lease, spec: { holderIdentity, leaseDurationSeconds: leaseSeconds, renewTime } }, "spec")
    })
    yield* pass.pipe(
      Effect.catchAllDefect((defect) => Effect.logWarning("the server cannot write down that it is alive", defect)),
      Effect.repeat(Schedule.spaced(every)),
      Effect.forkScoped
    )
  })

/** Writes them at the start, and keeps them up to date. @category layers */
export const layer = (options: Options): Layer.Layer<never, never, ApiServer.ApiServer> => Layer.scopedDiscard(run(options))
