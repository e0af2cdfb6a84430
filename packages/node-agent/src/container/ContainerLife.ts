/** From a container of a pod to what the supervisor must know about its life: hooks, stop signal, restart rules, last words. Pure. */
import type { CoreV1 } from "@reddwarf/api-types"
import type * as ContainerLifecycle from "../supervisor/ContainerLifecycle.js"
import type * as ImageProcess from "./ImageProcess.js"

/** What hooks are told about the pod. @category models */
export interface Facts {
  readonly podIP: string
}

const invalid = (detail: string): ContainerLifecycle.Hook => ({ type: "invalid", detail })

const portOf = (container: CoreV1.Container, port: number | string): number | undefined => {
  const named = typeof port === "string" ? container.ports?.find(({ name }) => name === port)?.containerPort : port
  const number = named ?? (typeof port === "string" && /^\d+$/.test(port) ? Number(port) : undefined)
  return number !== undefined && number > 0 && number < 65_536 ? number : undefined
}

/** A header may hold no line breaks: what cannot be sent is a mistake of the pod, told when it is its turn. */
const isHeader = ({ name, value }: CoreV1.HTTPHeader): boolean => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && /^[\t\u0020-\u007e\u0080-\u00ff]*$/.test(value)

const isPath = (path: string): boolean => /^[\u0021-\u00ff]*$/.test(path)

const httpGet = (container: CoreV1.Container, { podIP }: Facts, action: CoreV1.HTTPGetAction): ContainerLifecycle.Hook => {
  const port = portOf(container, action.port)
  if (port === undefined) return invalid(`httpGet lifecycle hook: couldn't find port ${String(action.port)}; name a port of the container, or give its number`)
  const headers = action.httpHeaders ?? []
  const wrong = headers.find((header) => !isHeader(header))
  if (wrong !== undefined) return invalid(`httpGet lifecycle hook: header ${JSON.stringify(wrong.name)} cannot be sent; use visible characters only`)
  const path = (action.path ?? "").startsWith("/") ? action.path ?? "/" : `/${action.path ?? ""}`
  if (!isPath(path)) return invalid(`httpGet lifecycle hook: path ${JSON.stringify(path)} cannot be sent; encode it as in a URL`)
  return {
    type: "httpGet",
    scheme: action.scheme === "HTTPS" ? "https" : "http",
    host: action.host === undefined || action.host === "" ? podIP : action.host,
    port,
    path,
    headers: headers.map(({ name, value }) => ({ name, value }))
  }
}

/** A hook as it is carried out; undefined for one that asks for nothing. @category constructors */
export const hook = (
  container: CoreV1.Container,
  facts: Facts,
  handler: CoreV1.LifecycleHandler | undefined
): ContainerLifecycle.Hook | undefined => {
  if (handler === undefined) return undefined
  if (handler.exec !== undefined) {
    const [program, ...rest] = handler.exec.command ?? []
    return program === undefined || [program, ...rest].some((word) => word.includes("\0"))
      ? invalid("exec lifecycle hook: there is no command that could be run; set command")
      : { type: "exec", argv: [program, ...rest] }
  }
  if (handler.httpGet !== undefined) return httpGet(container, facts, handler.httpGet)
  if (handler.sleep !== undefined) return { type: "sleep", seconds: handler.sleep.seconds }
  return invalid("invalid handler: a lifecycle hook needs exec, httpGet or sleep")
}

/** Signals that illumos numbers as Linux does, and those that images name by number in practice. */
const numbered: ReadonlyMap<number, string> = new Map([
  [1, "HUP"], [2, "INT"], [3, "QUIT"], [6, "ABRT"], [9, "KILL"], [10, "USR1"], [12, "USR2"], [14, "ALRM"], [15, "TERM"], [28, "WINCH"]
])

const isSignal = /^[A-Z][A-Z0-9]*(?:[+-]\d{1,2})?$/

/** Name of a signal without `SIG`, from a name or a Linux number; undefined for what is neither. @category combinators */
export const signalName = (text: string): string | undefined => {
  if (/^\d+$/.test(text)) return numbered.get(Number(text))
  const name = text.toUpperCase().replace(/^SIG/, "")
  return isSignal.test(name) ? name : undefined
}

const stopSignal = (container: CoreV1.Container, image: ImageProcess.ContainerImage | undefined): string | undefined => {
  const asked = container.lifecycle?.stopSignal ?? image?.process.stopSignal
  return asked === undefined || asked === "" ? undefined : signalName(asked)
}

const restartRules = (rules: ReadonlyArray<CoreV1.ContainerRestartRule> | undefined): ReadonlyArray<ContainerLifecycle.RestartRule> =>
  (rules ?? []).flatMap(({ action, exitCodes }) =>
    (action !== "Restart" && action !== "RestartAllContainers") || exitCodes === undefined
      ? []
      : [{ ...(action === "Restart" ? {} : { action }), operator: exitCodes.operator === "NotIn" ? "NotIn" : "In", exitCodes: exitCodes.values ?? [] } as const])

const ownPolicy = (container: CoreV1.Container): ContainerLifecycle.ContainerLifecycle["restartPolicy"] => {
  const { restartPolicy: policy } = container
  return policy === "Always" || policy === "OnFailure" || policy === "Never" ? policy : undefined
}

/** The life of a container. @category constructors */
export const of = (
  container: CoreV1.Container,
  facts: Facts,
  image: ImageProcess.ContainerImage | undefined
): ContainerLifecycle.ContainerLifecycle => {
  const postStart = hook(container, facts, container.lifecycle?.postStart)
  const preStop = hook(container, facts, container.lifecycle?.preStop)
  const signal = stopSignal(container, image)
  const policy = ownPolicy(container)
  const rules = restartRules(container.restartPolicyRules)
  const path = container.terminationMessagePath ?? ""
  return {
    ...(postStart === undefined ? {} : { postStart }),
    ...(preStop === undefined ? {} : { preStop }),
    ...(signal === undefined ? {} : { stopSignal: signal }),
    ...(policy === undefined ? {} : { restartPolicy: policy }),
    ...(rules.length === 0 ? {} : { restartRules: rules }),
    ...(container.startupProbe === undefined ? {} : { startupProbe: true }),
    terminationMessage: {
      path: path.startsWith("/") ? path : `/${path === "" ? "dev/termination-log" : path}`,
      fallbackToLogs: container.terminationMessagePolicy === "FallbackToLogsOnError"
    }
  }
}
