/** Rules of core/v1 Events: the lenient ones for `firstTimestamp` events, the full set for those with `eventTime`. */
import type * as FieldError from "../FieldError.js"
import { invalid, invalidEach, required } from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import * as Names from "../Names.js"

const limited = (path: string, value: string, maximum: number): ReadonlyArray<FieldError.FieldError> =>
  Names.byteLength(value) > maximum ? [invalid(path, "", `can have at most ${maximum} characters`)] : []

const validateNew = (event: CoreV1.Event): ReadonlyArray<FieldError.FieldError> => {
  const { action = "", message = "", reason = "", reportingComponent = "", reportingInstance = "" } = event
  return [
    ...(reportingComponent === "" ? [required("reportingComponent")] : []),
    ...invalidEach("reportingComponent", reportingComponent, Names.isQualifiedName(reportingComponent)),
    ...(reportingInstance === "" ? [required("reportingInstance")] : []),
    ...limited("reportingInstance", reportingInstance, 128),
    ...(action === "" ? [required("action")] : []),
    ...limited("action", action, 128),
    ...(reason === "" ? [required("reason")] : []),
    ...limited("reason", reason, 128),
    ...limited("message", message, 1024)
  ]
}

/** The rules of an event besides those of its metadata. @category combinators */
export const validateEvent = (event: CoreV1.Event): ReadonlyArray<FieldError.FieldError> => {
  const namespace = event.metadata.namespace ?? ""
  const involved = event.involvedObject.namespace ?? ""
  const isNew = event.eventTime !== undefined
  // Events about objects without a namespace live in `default`; recent components also write to `kube-system`.
  const agrees =
    involved === ""
      ? namespace === "default" || (isNew ? namespace === "kube-system" : namespace === "")
      : isNew || namespace === involved
  return [
    ...(agrees ? [] : [invalid("involvedObject.namespace", involved, "does not match event.namespace")]),
    ...(isNew ? validateNew(event) : []),
    ...invalidEach("namespace", namespace, Names.isDns1123Subdomain(namespace))
  ]
}
