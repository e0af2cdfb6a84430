/** Rules of security contexts. */
import { all, at, duplicate, each, invalid, none, notSupported, required, tooLong } from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { localPath, optionalOneOf, repeats, unixId } from "../internal/fieldRules.js"
import * as Names from "../Names.js"

const profileTypes = ["Localhost", "RuntimeDefault", "Unconfined"]

const validateSeccomp = (profile: CoreV1.SeccompProfile): Errors => {
  const { localhostProfile, type } = profile
  const typeErrors = type === ""
    ? [required(".type", "type is required when seccompProfile is set")]
    : profileTypes.includes(type)
      ? none
      : [notSupported(".type", type, profileTypes)]
  if (type !== "Localhost") {
    return localhostProfile === undefined
      ? typeErrors
      : all(typeErrors, [invalid(".localhostProfile", profile, "can only be set when seccomp type is Localhost")])
  }
  return localhostProfile === undefined
    ? [required(".localhostProfile", "must be set when seccomp type is Localhost")]
    : localPath(".localhostProfile", localhostProfile)
}

const maximumProfileBytes = 4095

const validateAppArmorName = (path: string, name: string | undefined): Errors => {
  if (name === undefined || name.trim() === "") {
    return name !== undefined && name !== ""
      ? [invalid(path, name, "must not be padded with whitespace")]
      : [required(path, "must be set when AppArmor type is Localhost")]
  }
  return all(
    name.trim() === name ? none : [invalid(path, name, "must not be padded with whitespace")],
    Names.byteLength(name) > maximumProfileBytes ? [tooLong(path, maximumProfileBytes)] : none
  )
}

const validateAppArmor = ({ localhostProfile, type }: CoreV1.AppArmorProfile): Errors => {
  if (type === "Localhost") return validateAppArmorName(".localhostProfile", localhostProfile)
  if (type === "") return [required(".type", "type is required when appArmorProfile is set")]
  if (!profileTypes.includes(type)) return [notSupported(".type", type, profileTypes)]
  return localhostProfile === undefined
    ? none
    : [invalid(".localhostProfile", localhostProfile, "can only be set when AppArmor type is Localhost")]
}

/** The profiles that the contexts of pods and containers have in common. */
type Profiles = Pick<CoreV1.SecurityContext, "appArmorProfile" | "seccompProfile">

const seccomp = ({ seccompProfile }: Profiles): Errors =>
  seccompProfile === undefined ? none : at(".seccompProfile", validateSeccomp(seccompProfile))

const appArmor = ({ appArmorProfile }: Profiles): Errors =>
  appArmorProfile === undefined ? none : at(".appArmorProfile", validateAppArmor(appArmorProfile))

const validateEscalation = (context: CoreV1.SecurityContext): Errors =>
  context.allowPrivilegeEscalation !== false
    ? none
    : all(
        context.privileged === true
          ? [invalid("", context, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true")]
          : none,
        context.capabilities?.add?.includes("CAP_SYS_ADMIN") === true
          ? [invalid("", context, "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN")]
          : none
      )

const procMounts = ["Default", "Unmasked"]

/** The security context of one container. @category combinators */
export const validateSecurityContext = (path: string, context: CoreV1.SecurityContext | undefined, hostUsers: boolean): Errors =>
  context === undefined
    ? none
    : at(
        path,
        all(
          unixId(".runAsUser", context.runAsUser),
          unixId(".runAsGroup", context.runAsGroup),
          optionalOneOf(".procMount", context.procMount, procMounts),
          context.procMount === "Unmasked" && hostUsers
            ? [invalid(".procMount", context.procMount, "`hostUsers` must be false to use `Unmasked`")]
            : none,
          seccomp(context),
          validateEscalation(context),
          appArmor(context)
        )
      )

const sysctlFormat = "([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
const sysctlName = new RegExp(`^${sysctlFormat}$`)

const validateSysctls = (sysctls: ReadonlyArray<CoreV1.Sysctl>): Errors => {
  const repeated = repeats(sysctls, ({ name }) => name)
  return each(sysctls, ({ name }, index) => {
    if (name === "") return [required(".name")]
    if (name.length > 253 || !sysctlName.test(name)) {
      return [invalid(".name", name, `must have at most 253 characters and match regex ^${sysctlFormat}$`)]
    }
    return repeated.has(index) ? [duplicate(".name", name)] : none
  })
}

const groupChangePolicies = ["Always", "OnRootMismatch"]
const groupsPolicies = ["Merge", "Strict"]
const labelChangePolicies = ["MountOption", "Recursive"]

/** The security context of the pod as a whole. @category combinators */
export const validatePodSecurityContext = (path: string, { hostPID, securityContext = {}, shareProcessNamespace }: CoreV1.PodSpec): Errors => {
  const { supplementalGroups, sysctls } = securityContext
  return at(
    path,
    all(
      unixId(".fsGroup", securityContext.fsGroup),
      unixId(".runAsUser", securityContext.runAsUser),
      unixId(".runAsGroup", securityContext.runAsGroup),
      supplementalGroups === undefined ? none : at(".supplementalGroups", each(supplementalGroups, (group) => unixId("", group))),
      shareProcessNamespace === true && hostPID === true
        ? [invalid(".shareProcessNamespace", true, "ShareProcessNamespace and HostPID cannot both be enabled")]
        : none,
      sysctls === undefined ? none : at(".sysctls", validateSysctls(sysctls)),
      optionalOneOf(".fsGroupChangePolicy", securityContext.fsGroupChangePolicy, groupChangePolicies),
      seccomp(securityContext),
      appArmor(securityContext),
      optionalOneOf(".supplementalGroupsPolicy", securityContext.supplementalGroupsPolicy, groupsPolicies),
      optionalOneOf(".seLinuxChangePolicy", securityContext.seLinuxChangePolicy, labelChangePolicies)
    )
  )
}
