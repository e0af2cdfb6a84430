/** Defaults of a container: image pull policy, ports, probes, handlers and references. */
import type * as CoreV1 from "../generated/CoreV1.js"
import { orElse } from "../internal/strings.js"

/** The tag of an image reference; `latest` when neither tag nor digest is given. @category combinators */
export const imageTag = (image: string): string | undefined => {
  const [reference = "", digest] = image.split("@")
  const tag = /:([^:/]+)$/.exec(reference)?.[1]
  return tag ?? (digest === undefined ? "latest" : undefined)
}

/** `Always` for the tag `latest`, which may move; else `IfNotPresent`. @category combinators */
export const pullPolicy = (image: string): CoreV1.PullPolicy => (imageTag(image) === "latest" ? "Always" : "IfNotPresent")

const httpGetDefaults = (action: CoreV1.HTTPGetAction): CoreV1.HTTPGetAction => ({
  ...action,
  path: orElse(action.path, "/"),
  scheme: orElse(action.scheme, "HTTP")
})

const orDefault = (value: number | undefined, fallback: number): number => (value === undefined || value === 0 ? fallback : value)

const probeDefaults = (probe: CoreV1.Probe): CoreV1.Probe => ({
  ...probe,
  ...(probe.httpGet === undefined ? {} : { httpGet: httpGetDefaults(probe.httpGet) }),
  ...(probe.grpc === undefined ? {} : { grpc: { ...probe.grpc, service: probe.grpc.service ?? "" } }),
  timeoutSeconds: orDefault(probe.timeoutSeconds, 1),
  periodSeconds: orDefault(probe.periodSeconds, 10),
  successThreshold: orDefault(probe.successThreshold, 1),
  failureThreshold: orDefault(probe.failureThreshold, 3)
})

const handlerDefaults = (handler: CoreV1.LifecycleHandler): CoreV1.LifecycleHandler =>
  handler.httpGet === undefined ? handler : { ...handler, httpGet: httpGetDefaults(handler.httpGet) }

const lifecycleDefaults = (lifecycle: CoreV1.Lifecycle): CoreV1.Lifecycle => ({
  ...lifecycle,
  ...(lifecycle.postStart === undefined ? {} : { postStart: handlerDefaults(lifecycle.postStart) }),
  ...(lifecycle.preStop === undefined ? {} : { preStop: handlerDefaults(lifecycle.preStop) })
})

/** The version whose field names a downward reference uses. @category combinators */
export const fieldRefDefaults = (reference: CoreV1.ObjectFieldSelector): CoreV1.ObjectFieldSelector => ({
  ...reference,
  apiVersion: orElse(reference.apiVersion, "v1")
})

const envDefaults = (variable: CoreV1.EnvVar): CoreV1.EnvVar => {
  const source = variable.valueFrom
  if (source?.fieldRef !== undefined) {
    return { ...variable, valueFrom: { ...source, fieldRef: fieldRefDefaults(source.fieldRef) } }
  }
  return source?.fileKeyRef !== undefined
    ? { ...variable, valueFrom: { ...source, fileKeyRef: { ...source.fileKeyRef, optional: source.fileKeyRef.optional ?? false } } }
    : variable
}

/** @category combinators */
export const containerDefaults = <A extends CoreV1.Container>(container: A): A => ({
  ...container,
  ...(container.ports === undefined
    ? {}
    : { ports: container.ports.map((port) => ({ ...port, protocol: orElse(port.protocol, "TCP") })) }),
  ...(container.env === undefined ? {} : { env: container.env.map(envDefaults) }),
  ...(container.livenessProbe === undefined ? {} : { livenessProbe: probeDefaults(container.livenessProbe) }),
  ...(container.readinessProbe === undefined ? {} : { readinessProbe: probeDefaults(container.readinessProbe) }),
  ...(container.startupProbe === undefined ? {} : { startupProbe: probeDefaults(container.startupProbe) }),
  ...(container.lifecycle === undefined ? {} : { lifecycle: lifecycleDefaults(container.lifecycle) }),
  resources: container.resources ?? {},
  terminationMessagePath: orElse(container.terminationMessagePath, "/dev/termination-log"),
  terminationMessagePolicy: orElse(container.terminationMessagePolicy, "File"),
  imagePullPolicy: orElse(container.imagePullPolicy, pullPolicy(container.image ?? ""))
})
