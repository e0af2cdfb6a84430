/** `verify` and `commit`: what must hold before a configuration may be stored, and how it is stored. */
import * as HostState from "../HostState.js"
import type { ZoneConfiguration, ZoneResource } from "../HostState.js"
import * as Rctls from "./Rctls.js"
import { complain, configuration, reject, type Session, stored } from "./Session.js"
import * as StoredFile from "./StoredFile.js"
import { physicalProblem } from "./Values.js"

const privileges = new Set(
  ("default none all basic zone contract_event contract_identity contract_observer cpc_cpu dtrace_kernel dtrace_proc dtrace_user file_chown "
    + "file_chown_self file_dac_execute file_dac_read file_dac_search file_dac_write file_downgrade_sl file_flag_set file_link_any file_owner file_read "
    + "file_setid file_upgrade_sl file_write graphics_access graphics_map ipc_dac_read ipc_dac_write ipc_owner net_access net_bindmlp net_icmpaccess "
    + "net_mac_aware net_mac_implicit net_observability net_privaddr net_rawaccess proc_audit proc_chroot proc_clock_highres proc_exec proc_fork "
    + "proc_info proc_lock_memory proc_owner proc_prioup proc_priocntl proc_secflags proc_session proc_setid proc_taskid proc_zone sys_acct sys_admin "
    + "sys_audit sys_config sys_devices sys_dl_config sys_flow_config sys_ip_config sys_iptun_config sys_ipc_config sys_linkdir sys_mount "
    + "sys_net_config sys_nfs sys_ppp_config sys_res_bind sys_res_config sys_resource sys_smb sys_suser_compat sys_time sys_trans_label "
    + "virt_manage xvm_control win_colormap win_config win_dac_read win_dac_write win_devices win_dga win_downgrade_sl win_fontpath win_mac_read "
    + "win_mac_write win_selection win_upgrade_sl").split(" ")
)

type Report = (text: string) => void

const netProblem = (config: ZoneConfiguration, net: ZoneResource): string | undefined => {
  const { physical = "", address, "allowed-address": allowed, defrouter } = net.properties
  if (config.properties["ip-type"] !== "exclusive") {
    if (address === undefined) return "net: address not specified"
    return allowed === undefined ? undefined : "net: allowed-address cannot be specified for a shared IP type"
  }
  const invalid = physicalProblem(physical)
  if (invalid !== undefined) return invalid
  if (address !== undefined) return "net: address cannot be specified for an exclusive IP type"
  const covered = HostState.resources(config, "net").some((other) =>
    other.properties["physical"] === physical && other.properties["allowed-address"] !== undefined
  )
  return defrouter !== undefined && !covered
    ? `net: defrouter for ${physical} cannot be specified without allowed-address for an exclusive IP type`
    : undefined
}

const brandProblem = (config: ZoneConfiguration, report: Report): string | undefined => {
  if (config.properties["brand"] !== "lx") return undefined
  if (config.properties["ip-type"] !== "exclusive") {
    report("lx zones do not support shared IP stacks")
    return "Invalid document"
  }
  if ((config.properties["hostid"] ?? "") !== "") {
    report("lx zones do not support hostid emulation")
    return "Invalid document"
  }
  for (const attribute of HostState.resources(config, "attr")) {
    const { name, type, value = "" } = attribute.properties
    if (name !== "kernel-version") continue
    if (type !== "string") {
      report("invalid type for zone attribute: kernel-version")
      return "Invalid document"
    }
    if (value !== "" && !/^[2-9]\d*(\.\d+){1,2}$|^[1-9]\d+(\.\d+){1,2}$/.test(value)) {
      report("invalid value for zone attribute: kernel-version")
      return "Invalid document"
    }
  }
  return undefined
}

/** Everything wrong with a configuration is reported; the answer is the first reason in libzonecfg's words. @category combinators */
export const check = (host: HostState.HostState, zoneName: string, config: ZoneConfiguration, report: Report): string | undefined => {
  let reason: string | undefined
  const blame = (text: string) => {
    reason ??= text
  }
  if ((config.properties["zonepath"] ?? "") === "") {
    report("zonepath cannot be empty.")
    blame("Required resource missing")
  }
  const brand = config.properties["brand"] ?? ""
  if (!host.brands.includes(brand)) {
    report(`${zoneName}: unknown brand.\n`)
    blame("Invalid document")
  } else {
    const refused = brandProblem(config, report)
    if (refused !== undefined) blame(refused)
  }
  for (const net of HostState.resources(config, "net")) {
    const problem = netProblem(config, net)
    if (problem === undefined) continue
    report(problem)
    blame("Invalid argument")
  }
  for (const dataset of HostState.resources(config, "dataset")) {
    const name = dataset.properties["name"] ?? ""
    if (!/^[A-Za-z][A-Za-z0-9_.: /-]*$/.test(name) || name.endsWith("/") || name.includes("//")) {
      report("dataset: name invalid")
      blame("Bad document property")
    }
  }
  for (const item of (config.properties["limitpriv"] ?? "").split(",")) {
    const privilege = item.replace(/^[!-]/, "")
    if (privilege !== "" && !privileges.has(privilege)) {
      report(`${zoneName}: invalid privilege: ${privilege}`)
      blame("Invalid document")
    }
  }
  const scheduling = config.properties["scheduling-class"] ?? ""
  if (Rctls.limit(config, "zone.cpu-shares") !== undefined && scheduling !== "" && scheduling !== "FSS") {
    report(`WARNING: rctl zone.cpu-shares and scheduling-class=${scheduling} are incompatible`)
  }
  return reason
}

const newZone = (session: Session, config: ZoneConfiguration): HostState.Zone => ({
  name: session.zoneName,
  indexState: "configured",
  uuid: "",
  did: session.context.host.nextDid++,
  configuration: structuredClone(config)
})

const save = (session: Session, config: ZoneConfiguration): void => {
  const zone = stored(session)
  if (zone === undefined) {
    session.context.host.zones.push(newZone(session, config))
  } else {
    zone.configuration = structuredClone(config)
    zone.name = session.zoneName
  }
  if (session.storedName !== session.zoneName) StoredFile.remove(session.context, session.storedName)
  StoredFile.write(session.context, session.zoneName, config)
  session.storedName = session.zoneName
  session.changed = false
}

/** `verify`, or with `storing` the explicit `commit`. @category commands */
export const verify = (session: Session, storing: boolean): void => {
  const config = configuration(session)
  if (config === undefined) return
  const reason = check(session.context.host, session.zoneName, config, (text) => complain(session, text))
  if (reason === undefined) {
    if (storing) save(session, config)
    return
  }
  if (storing) complain(session, `Zone ${session.zoneName} failed to verify`)
  reject(session, `${session.zoneName}: ${reason}`)
}

/** The commit at the end of the input. @category commands */
export const implicitCommit = (session: Session): void => {
  const unsaved = (reason: string) => {
    session.stderr.push(`Zone ${session.zoneName} failed to verify`, `${session.zoneName}: ${reason}`, "Configuration not saved.")
    session.failed = true
  }
  if (session.open !== undefined) {
    if (session.mode.kind === "arguments") {
      session.stderr.push("Resource incomplete.")
      session.failed = true
      return
    }
    session.stderr.push("resource specification incomplete")
    unsaved("Insufficient specification")
    return
  }
  if (!session.changed || session.configuration === undefined) return
  const reason = check(session.context.host, session.zoneName, session.configuration, (text) => session.stderr.push(text))
  if (reason === undefined) save(session, session.configuration)
  else unsaved(reason)
}
