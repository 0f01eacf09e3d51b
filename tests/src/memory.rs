//! The memory of a process, as the system counts it.

use anyhow::Context;

/// What is resident now, in MiB.
pub fn resident_mib(pid: u32) -> anyhow::Result<f64> {
    status_mib(pid, "VmRSS:")
}

/// The most that was resident since the process began, or since [`forget_peak`], in MiB.
pub fn peak_mib(pid: u32) -> anyhow::Result<f64> {
    status_mib(pid, "VmHWM:")
}

/// Begins a new peak with what is resident now (proc(5), `clear_refs`).
pub fn forget_peak(pid: u32) -> anyhow::Result<()> {
    Ok(std::fs::write(format!("/proc/{pid}/clear_refs"), "5")?)
}

fn status_mib(pid: u32, field: &str) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kib = line.and_then(|line| line.split_whitespace().next());
    let kib: f64 = kib.with_context(|| format!("no {field}"))?.parse()?;
    Ok(kib / 1024.0)
}
