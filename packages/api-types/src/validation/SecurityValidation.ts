/** Rules of security contexts. */
import { duplicate, invalid, notSupported, required, tooLong } from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { localPath, optionalOneOf, unixId } from "../internal/fieldRules.js"
import * as Names from "../Names.js"

const profileTypes = ["Localhost", "RuntimeDefault", "Unconfined"]

const validateSeccomp = (path: string, profile: CoreV1.SeccompProfile | undefined): Errors => {
  if (profile === undefined) return []
  const { localhostProfile, type } = profile
  const typeErrors = type === ""
    ? [required(`${path}.type`, "type is required when seccompProfile is set")]
    : profileTypes.includes(type)
      ? []
      : [notSupported(`${path}.type`, type, profileTypes)]
  if (type !== "Localhost") {
    const misplaced = invalid(`${path}.localhostProfile`, profile, "can only be set when seccomp type is Localhost")
    return localhostProfile === undefined ? typeErrors : [...typeErrors, misplaced]
  }
  return localhostProfile === undefined
    ? [...typeErrors, required(`${path}.localhostProfile`, "must be set when seccomp type is Localhost")]
    : [...typeErrors, ...localPath(`${path}.localhostProfile`, localhostProfile)]
}

const maximumProfileBytes = 4095

const validateAppArmorName = (path: string, name: string | undefined): Errors => {
  if (name === undefined || name.trim() === "") {
    return name !== undefined && name !== ""
      ? [invalid(path, name, "must not be padded with whitespace")]
      : [required(path, "must be set when AppArmor type is Localhost")]
  }
  return [
    ...(name.trim() === name ? [] : [invalid(path, name, "must not be padded with whitespace")]),
    ...(Names.byteLength(name) > maximumProfileBytes ? [tooLong(path, maximumProfileBytes)] : [])
  ]
}

const validateAppArmor = (path: string, profile: CoreV1.AppArmorProfile | undefined): Errors => {
  if (profile === undefined) return []
  const { localhostProfile, type } = profile
  if (type === "Localhost") return validateAppArmorName(`${path}.localhostProfile`, localhostProfile)
  if (type === "") return [required(`${path}.type`, "type is required when appArmorProfile is set")]
  if (!profileTypes.includes(type)) return [notSupported(`${path}.type`, type, profileTypes)]
  return localhostProfile === undefined
    ? []
    : [invalid(`${path}.localhostProfile`, localhostProfile, "can only be set when AppArmor type is Localhost")]
}

/** The security context of one container. @category combinators */
export const validateSecurityContext = (path: string, context: CoreV1.SecurityContext | undefined, hostUsers: boolean): Errors => {
  if (context === undefined) return []
  const { allowPrivilegeEscalation, capabilities, privileged, procMount } = context
  const escalation =
    allowPrivilegeEscalation !== false
      ? []
      : [
          ...(privileged === true
            ? [invalid(path, context, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true")]
            : []),
          ...(capabilities?.add?.includes("CAP_SYS_ADMIN") === true
            ? [invalid(path, context, "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN")]
            : [])
        ]
  return [
    ...unixId(`${path}.runAsUser`, context.runAsUser),
    ...unixId(`${path}.runAsGroup`, context.runAsGroup),
    ...optionalOneOf(`${path}.procMount`, procMount, ["Default", "Unmasked"]),
    ...(procMount === "Unmasked" && hostUsers
      ? [invalid(`${path}.procMount`, procMount, "`hostUsers` must be false to use `Unmasked`")]
      : []),
    ...validateSeccomp(`${path}.seccompProfile`, context.seccompProfile),
    ...escalation,
    ...validateAppArmor(`${path}.appArmorProfile`, context.appArmorProfile)
  ]
}

const sysctlFormat = "([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
const sysctlName = new RegExp(`^${sysctlFormat}$`)

const validateSysctls = (path: string, sysctls: ReadonlyArray<CoreV1.Sysctl>): Errors => {
  const seen = new Set<string>()
  return sysctls.flatMap(({ name }, index) => {
    const at = `${path}[${index}].name`
    if (name === "") return [required(at)]
    if (name.length > 253 || !sysctlName.test(name)) {
      return [invalid(at, name, `must have at most 253 characters and match regex ^${sysctlFormat}$`)]
    }
    if (seen.has(name)) return [duplicate(at, name)]
    seen.add(name)
    return []
  })
}

/** The security context of the pod as a whole. @category combinators */
export const validatePodSecurityContext = (path: string, spec: CoreV1.PodSpec): Errors => {
  const context = spec.securityContext ?? {}
  return [
    ...unixId(`${path}.fsGroup`, context.fsGroup),
    ...unixId(`${path}.runAsUser`, context.runAsUser),
    ...unixId(`${path}.runAsGroup`, context.runAsGroup),
    ...(context.supplementalGroups ?? []).flatMap((group, index) => unixId(`${path}.supplementalGroups[${index}]`, group)),
    ...(spec.shareProcessNamespace === true && spec.hostPID === true
      ? [invalid(`${path}.shareProcessNamespace`, true, "ShareProcessNamespace and HostPID cannot both be enabled")]
      : []),
    ...validateSysctls(`${path}.sysctls`, context.sysctls ?? []),
    ...optionalOneOf(`${path}.fsGroupChangePolicy`, context.fsGroupChangePolicy, ["Always", "OnRootMismatch"]),
    ...validateSeccomp(`${path}.seccompProfile`, context.seccompProfile),
    ...validateAppArmor(`${path}.appArmorProfile`, context.appArmorProfile),
    ...optionalOneOf(`${path}.supplementalGroupsPolicy`, context.supplementalGroupsPolicy, ["Merge", "Strict"]),
    ...optionalOneOf(`${path}.seLinuxChangePolicy`, context.seLinuxChangePolicy, ["MountOption", "Recursive"])
  ]
}
