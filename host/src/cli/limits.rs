// The limits of connections as flags.

use clap::Args;
use imds_host::ConnectionLimits;

use super::values::{Time, count};

/// Named after the fields of [`ConnectionLimits`], whose defaults and reasons hold.
#[derive(Args)]
pub struct LimitFlags {
    /// Connections at once; one more closes the one that has waited longest for its client
    #[arg(long, value_name = "N", value_parser = count, default_value_t = ConnectionLimits::default().connections, hide_short_help = true, help_heading = LIMITS)]
    connections: usize,

    /// How many of these one address may hold; when all are taken, connections above this number are closed first
    #[arg(long, value_name = "N", value_parser = count, default_value_t = ConnectionLimits::default().connections_per_caller, hide_short_help = true, help_heading = LIMITS)]
    connections_per_caller: usize,

    /// For a request head to arrive, and for a kept connection to idle
    #[arg(long, value_name = "TIME", default_value_t = Time(ConnectionLimits::default().head_time), hide_short_help = true, help_heading = LIMITS)]
    head_time: Time,

    /// Bytes of a request head; above it the answer is 431
    #[arg(long, value_name = "BYTES", value_parser = count, default_value_t = ConnectionLimits::default().head_bytes, hide_short_help = true, help_heading = LIMITS)]
    head_bytes: usize,

    /// Header fields of a request; above it the answer is 431
    #[arg(long, value_name = "N", value_parser = count, default_value_t = ConnectionLimits::default().head_fields, hide_short_help = true, help_heading = LIMITS)]
    head_fields: usize,

    /// Bytes of a request body, which is read and ignored
    #[arg(long, value_name = "BYTES", value_parser = count, default_value_t = ConnectionLimits::default().body_bytes, hide_short_help = true, help_heading = LIMITS)]
    body_bytes: usize,

    /// For a request body to arrive, and for the client to close its side after the last answer
    #[arg(long, value_name = "TIME", default_value_t = Time(ConnectionLimits::default().body_time), hide_short_help = true, help_heading = LIMITS)]
    body_time: Time,

    /// For the client to take an answer
    #[arg(long, value_name = "TIME", default_value_t = Time(ConnectionLimits::default().write_time), hide_short_help = true, help_heading = LIMITS)]
    write_time: Time,

    /// Bytes that the system keeps for a connection in each direction
    #[arg(long, value_name = "BYTES", value_parser = count, default_value_t = ConnectionLimits::default().buffer_bytes, hide_short_help = true, help_heading = LIMITS)]
    buffer_bytes: usize,

    /// For open requests to end after the signal to stop
    #[arg(long, value_name = "TIME", default_value_t = Time(ConnectionLimits::default().stop_time), hide_short_help = true, help_heading = LIMITS)]
    stop_time: Time,
}

pub const LIMITS: &str = "Limits";

impl LimitFlags {
    pub fn limits(&self) -> ConnectionLimits {
        ConnectionLimits::default()
            .connections(self.connections)
            .connections_per_caller(self.connections_per_caller)
            .head_time(self.head_time.0)
            .head_bytes(self.head_bytes)
            .head_fields(self.head_fields)
            .body_bytes(self.body_bytes)
            .body_time(self.body_time.0)
            .write_time(self.write_time.0)
            .buffer_bytes(self.buffer_bytes)
            .stop_time(self.stop_time.0)
    }
}
