/** The restart policy of one container, which takes the place of that of its pod, and its restart rules. */
import { all, at, each, none, notSupported, required, tooMany } from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { optionalOneOf } from "../internal/fieldRules.js"

const policies = ["Always", "Never", "OnFailure"]
const actions = ["Restart", "RestartAllContainers"]
const operators = ["In", "NotIn"]

const maxRules = 20
const maxExitCodes = 255

const validateExitCodes = ({ operator, values = [] }: CoreV1.ContainerRestartRuleOnExitCodes): Errors =>
  all(
    operators.includes(operator) ? none : [notSupported(".operator", operator, operators)],
    values.length > maxExitCodes ? [tooMany(".values", values.length, maxExitCodes)] : none
  )

const validateRule = ({ action, exitCodes }: CoreV1.ContainerRestartRule): Errors =>
  all(
    actions.includes(action) ? none : [notSupported(".action", action, actions)],
    exitCodes === undefined ? [required(".exitCodes", "must be specified")] : at(".exitCodes", validateExitCodes(exitCodes))
  )

const matches = (exitCode: number, { exitCodes }: CoreV1.ContainerRestartRule): boolean =>
  exitCodes !== undefined && (exitCodes.values ?? []).includes(exitCode) === (exitCodes.operator === "In")

const restarts = (policy: string | undefined, exitCode: number): boolean => policy === "Always" || (policy === "OnFailure" && exitCode !== 0)

/**
 * Whether a container of a pod may run again after it ended: by its own rules, its own policy, or that of the pod. All of them may where the
 * rules of one can have all start anew.
 *
 * @category combinators
 */
export const restartable = (spec: CoreV1.PodSpec | undefined): (name: string, exitCode: number) => boolean => {
  const containers = [...spec?.initContainers ?? [], ...spec?.containers ?? []]
  const anyMay = containers.some(({ restartPolicyRules: rules = [] }) => rules.some(({ action }) => action === "RestartAllContainers"))
  return (name, exitCode) => {
    const container = containers.find((other) => other.name === name)
    if (container === undefined) return restarts(spec?.restartPolicy, exitCode)
    const { restartPolicy = spec?.restartPolicy, restartPolicyRules: rules = [] } = container
    return anyMay || rules.some((rule) => matches(exitCode, rule)) || restarts(restartPolicy, exitCode)
  }
}

/** What of a container says when it is started again. @category combinators */
export const validateRestarts = ({ restartPolicy, restartPolicyRules: rules = [] }: CoreV1.Container): Errors =>
  all(
    restartPolicy === undefined && rules.length > 0
      ? [required(".restartPolicy", "must specify restartPolicy when restart rules are used")]
      : optionalOneOf(".restartPolicy", restartPolicy, policies),
    rules.length > maxRules ? [tooMany(".restartPolicyRules", rules.length, maxRules)] : none,
    at(".restartPolicyRules", each(rules, validateRule))
  )
