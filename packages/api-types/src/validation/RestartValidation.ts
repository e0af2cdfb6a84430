/** The restart policy of one container, which takes the place of that of its pod, and its restart rules. */
import { all, at, each, none, notSupported, required, tooMany } from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { optionalOneOf } from "../internal/fieldRules.js"

const policies = ["Always", "Never", "OnFailure"]
// To restart all containers of a pod at once is another action, which nothing here carries out: better refused than not done.
const actions = ["Restart"]
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

/** What of a container says when it is started again. @category combinators */
export const validateRestarts = ({ restartPolicy, restartPolicyRules: rules = [] }: CoreV1.Container): Errors =>
  all(
    restartPolicy === undefined && rules.length > 0
      ? [required(".restartPolicy", "must specify restartPolicy when restart rules are used")]
      : optionalOneOf(".restartPolicy", restartPolicy, policies),
    rules.length > maxRules ? [tooMany(".restartPolicyRules", rules.length, maxRules)] : none,
    at(".restartPolicyRules", each(rules, validateRule))
  )
