/**
 * Admission: a pod runs as a ServiceAccount that exists, with its image pull secrets, and with a token of it, the address book
 * of the API and its own namespace mounted where clients inside the cluster look for them.
 */
import { ApiError, Kinds, type KubeObject, Names, Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { Attributes, ClusterView, Plugin } from "./Admission.js"
import * as eager from "../internal/eager.js"
import { mirrorAnnotation } from "../internal/podReferences.js"
import { get, isArray, isObject, type JsonObject } from "../internal/jsonValue.js"

/** Where clients inside the cluster find token, authority and namespace. @category models */
export const mountPath = "/var/run/secrets/kubernetes.io/serviceaccount"

const tokenSeconds = 3607

/** How the names of the volumes start that this plugin adds. */
const volumePrefix = "kube-api-access-"

// The account `default` comes right after its namespace; who creates a pod in between need not be refused.
const patience = Schedule.intersect(Schedule.spaced("150 millis"), Schedule.recurs(10))

const listOf = (value: unknown): ReadonlyArray<unknown> => isArray(value) ? value : []

const account = (view: ClusterView, namespace: string, name: string): Effect.Effect<KubeObject.KubeObject, string> => {
  const look = Effect.suspend(() => {
    const found = view.get(Kinds.serviceAccount, namespace, name)
    return found === undefined ? Effect.fail(`serviceaccount ${JSON.stringify(name)} not found`) : Effect.succeed(found)
  })
  const found = view.get(Kinds.serviceAccount, namespace, name)
  if (found !== undefined) return Effect.succeed(found)
  return name === "default" ? Effect.retry(look, patience) : look
}

// One for all pods: nobody changes what is stored.
const access: JsonObject = {
  sources: [
    { serviceAccountToken: { expirationSeconds: tokenSeconds, path: "token" } },
    { configMap: { items: [{ key: "ca.crt", path: "ca.crt" }], name: "kube-root-ca.crt" } },
    { downwardAPI: { items: [{ fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" }, path: "namespace" }] } }
  ],
  defaultMode: 420
}

const accessVolume = (name: string): JsonObject => ({ name, projected: access })

const isMounted = (container: unknown): boolean =>
  listOf(get(container, "volumeMounts")).some((mount) => get(mount, "mountPath") === mountPath)

const mounted = (containers: unknown, volume: string): ReadonlyArray<unknown> =>
  listOf(containers).map((container) => {
    if (!isObject(container) || isMounted(container)) return container
    const mount = { name: volume, readOnly: true, mountPath }
    return { ...container, volumeMounts: [...listOf(container["volumeMounts"]), mount] }
  })

const wantsToken = (spec: JsonObject, found: KubeObject.KubeObject): boolean =>
  (spec["automountServiceAccountToken"] ?? get(found, "automountServiceAccountToken") ?? true) === true

const withToken = (spec: JsonObject, random: () => number): JsonObject => {
  const containers = [...listOf(spec["containers"]), ...listOf(spec["initContainers"])]
  if (containers.every(isMounted)) return spec
  const volumes = listOf(spec["volumes"])
  // A copy of a pod (`kubectl debug --copy-to`) brings its volume along.
  const known = volumes.map((volume) => get(volume, "name")).find((name) => typeof name === "string" && name.startsWith(volumePrefix))
  const volume = typeof known === "string" ? known : Names.generateName(volumePrefix, random)
  return {
    ...spec,
    volumes: known === undefined ? [...volumes, accessVolume(volume)] : volumes,
    ...(isArray(spec["initContainers"]) ? { initContainers: mounted(spec["initContainers"], volume) } : {}),
    containers: mounted(spec["containers"], volume)
  }
}

const withPullSecrets = (spec: JsonObject, found: KubeObject.KubeObject): JsonObject => {
  const secrets = get(found, "imagePullSecrets")
  return listOf(spec["imagePullSecrets"]).length > 0 || listOf(secrets).length === 0 ? spec : { ...spec, imagePullSecrets: secrets }
}

const admit = (
  object: KubeObject.KubeObject,
  { name, namespace = "" }: Attributes,
  view: ClusterView,
  random: () => number
): Effect.Effect<KubeObject.KubeObject, ApiError.ApiError> => {
  const spec = get(object, "spec")
  // A mirror pod shows what a node runs by itself; it has no use for credentials.
  if (!isObject(spec) || object.metadata.annotations?.[mirrorAnnotation] !== undefined) return Effect.succeed(object)
  // In a namespace that does not exist there is no account; that the namespace is missing is said later.
  if (view.get(Kinds.namespace, undefined, namespace) === undefined) return Effect.succeed(object)
  const asked = spec["serviceAccountName"]
  const accountName = typeof asked === "string" && asked !== "" ? asked : "default"
  const found = eager.mapError(account(view, namespace, accountName), (why) =>
    ApiError.make(
      Status.forbidden(Kinds.pod, name, `error looking up service account ${namespace}/${accountName}: ${why}`)
    ))
  return eager.map(found, (account) => {
    const named = { ...withPullSecrets(spec, account), serviceAccountName: accountName, serviceAccount: accountName }
    const next = { ...object, spec: wantsToken(spec, account) ? withToken(named, random) : named }
    return next
  })
}

/** The plugin; `random` (from 0 up to 1) is for the name of the volume. Refuses (403) pods whose account does not exist. @category constructors */
export const make = (random: () => number): Plugin => ({
  name: "PodServiceAccount",
  mutate: (object, attributes, view) =>
    attributes.kind === Kinds.pod && attributes.operation === "CREATE" && attributes.subresource === undefined
      ? admit(object, attributes, view, random)
      : Effect.succeed(object)
})
