//! Rate limits, trusted proxies, and origins that may call.

use clap::Args;
use ipnet::IpNet;

use super::values::{Rate, network, origin, rate_or_off};

#[derive(Args, Clone, Debug)]
pub struct LimitsConfig {
    /// Logins for one account from one address, as `10/min`, or `off`
    #[arg(long, env, value_name = "RATE", default_value = "10/min", value_parser = rate_or_off)]
    pub rate_limit_login: Rate,

    /// Logins from one address, whatever the account, or `off`
    #[arg(long, env, value_name = "RATE", default_value = "120/min", value_parser = rate_or_off)]
    pub rate_limit_login_address: Rate,

    /// Registrations from one address, or `off`
    #[arg(long, env, value_name = "RATE", default_value = "30/min", value_parser = rate_or_off)]
    pub rate_limit_register: Rate,

    /// Requests of one user, or `off`
    #[arg(long, env, value_name = "RATE", default_value = "6000/min", value_parser = rate_or_off)]
    pub rate_limit_api: Rate,

    /// Proxies whose X-Forwarded-For is believed, as addresses or networks with commas between
    #[arg(long, env, value_name = "ADDRS", value_delimiter = ',', value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,

    /// Origins that browsers may call from, exactly as `https://example.com`, commas between
    #[arg(long, env, value_name = "ORIGINS", value_delimiter = ',', value_parser = origin)]
    pub cors_origins: Vec<String>,
}
