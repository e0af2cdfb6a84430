/**
 * Asks the admission chain about what is no write of an object of its own: a connection to a pod, service or node, and what is created
 * below an object without being stored, such as an Eviction, a Binding or a TokenRequest.
 */
import type { KubeObject, Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Admission from "../admission/Admission.js"
import type { ResourceRequest } from "./apiContext.js"
import * as eager from "./eager.js"

/** What the request asks for, by the names that the options of the API have. */
export interface Asked {
  readonly [name: string]: unknown
}

const admit = (
  call: ResourceRequest,
  object: KubeObject.KubeObject,
  attributes: Admission.Attributes
): Effect.Effect<void, Status.Status> => {
  const { plugins, view } = call.context
  const checked = eager.flatMap(Admission.validate(plugins, object, attributes, view), () =>
    Admission.review(plugins, object, attributes, view))
  return eager.mapError(checked, ({ status }) => status)
}

const attributesOf = ({ info, kind, user, warn }: ResourceRequest, name: string) => ({
  kind,
  subresource: info.subresource,
  namespace: kind.namespaced ? info.namespace : undefined,
  name,
  user,
  old: undefined,
  warn
})

/** Fails when a connection is refused. `kind` is that of the options, such as `PodExecOptions`. */
export const connect = (call: ResourceRequest, name: string, kind: string, asked: Asked): Effect.Effect<void, Status.Status> =>
  Effect.suspend(() => {
    const options: KubeObject.KubeObject & Asked = { ...asked, apiVersion: "v1", kind, metadata: {} }
    return admit(call, options, { ...attributesOf(call, name), operation: "CONNECT", dryRun: false })
  })

/** Fails when the creation of an object that is never stored is refused. */
export const create = (call: ResourceRequest, name: string, object: KubeObject.KubeObject, dryRun: boolean): Effect.Effect<void, Status.Status> =>
  Effect.suspend(() => admit(call, object, { ...attributesOf(call, name), operation: "CREATE", dryRun }))
