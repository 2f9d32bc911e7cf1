//! The network that a client is counted as.

use std::net::IpAddr;

/// Network whose addresses a client may choose from: counted by address, it could be a new client
/// each time. For IPv6 it is a /56 with 2⁷² addresses, the least that a home gets (RIPE-690). An
/// IPv4 address inside an IPv6 one, mapped or translated (NAT64), is that address.
pub fn network(client: IpAddr) -> [u8; 16] {
    const NAT64: u128 = 0x0064_ff9b << 96;
    const HOST: u128 = u128::MAX >> 56;
    let network = match client.to_canonical() {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => match address.to_bits() {
            bits if bits >> 32 == NAT64 >> 32 => 0xffff << 32 | bits & u128::from(u32::MAX),
            bits => bits & !HOST,
        },
    };
    network.to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_network_is_one_caller_and_an_ipv4_address_in_it_is_that_address() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("2001:db8::1"), network("2001:db8:0:ff:ffff::2"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:100::1"));
        assert_eq!(network("::ffff:192.0.2.7"), network("192.0.2.7"));
        assert_eq!(network("64:ff9b::192.0.2.7"), network("192.0.2.7"));
        assert_ne!(network("64:ff9b::192.0.2.7"), network("64:ff9b::192.0.2.8"));
        assert_ne!(network("192.0.2.7"), network("192.0.2.8"));
        assert_ne!(network("::1"), network("0.0.0.0"));
    }
}
