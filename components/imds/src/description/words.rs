//! Words of which one is chosen.

words! {
    /// A processor architecture.
    Architecture { #[default] X86_64 = "x86_64", Arm64 = "arm64", I386 = "i386", }
    /// How the instance was bought.
    InstanceLifecycle { #[default] OnDemand = "on-demand", Spot = "spot", Scheduled = "scheduled", CapacityBlock = "capacity-block", }
    /// Off unless enabled.
    Switch { #[default] Disabled = "disabled", Enabled = "enabled", }
    /// On unless disabled.
    Enabled { #[default] Enabled = "enabled", Disabled = "disabled", }
    /// Whether session tokens are needed.
    HttpTokens { #[default] Optional = "optional", Required = "required", }
    /// What the private host name is made of.
    HostnameType { #[default] IpName = "ip-name", ResourceName = "resource-name", }
    /// The kind of a product code.
    ProductCodeType { #[default] Marketplace = "marketplace", Devpay = "devpay", }
    /// A kind of virtualisation.
    VirtualizationType { #[default] Hvm = "hvm", Paravirtual = "paravirtual", }
    /// What happens to the instance.
    InstanceAction { #[default] None = "none", Shutdown = "shutdown", BundlePending = "bundle-pending", }
    /// The state to which Auto Scaling moves the instance.
    TargetLifecycleState {
        #[default] InService = "InService", Detached = "Detached", Standby = "Standby", Terminated = "Terminated",
        WarmedHibernated = "Warmed:Hibernated", WarmedRunning = "Warmed:Running", WarmedStopped = "Warmed:Stopped",
        WarmedTerminated = "Warmed:Terminated",
    }
    /// Whether an instance runs.
    InstanceState { #[default] Running = "running", Stopped = "stopped", Terminated = "terminated", }
    /// How far a volume is attached. Software sees a change of that from the next start on.
    VolumeAttachment { #[default] Attached = "attached", Attaching = "attaching", Detaching = "detaching", }
    /// What a fault does: answer 503; answer late; close without an answer; end an answer in the middle of its body;
    /// never answer.
    FaultKind { #[default] Refuse = "refuse", Delay = "delay", Close = "close", Cut = "cut", Withhold = "withhold", }
    /// What happens to an interrupted spot instance.
    SpotAction { #[default] Terminate = "terminate", Stop = "stop", Hibernate = "hibernate", }
    /// What a maintenance event does.
    EventCode {
        #[default] SystemReboot = "system-reboot", InstanceReboot = "instance-reboot", InstanceStop = "instance-stop",
        InstanceRetirement = "instance-retirement", SystemMaintenance = "system-maintenance",
    }
    /// Where a maintenance event is in its life.
    EventState { #[default] Active = "active", Completed = "completed", Canceled = "canceled", }
}
