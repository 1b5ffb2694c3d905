//! Names out of what EC2 says (pure): groups as Ansible makes them safe, hosts that are names at all.

/// A name with letters, digits and `_` only, not beginning with a digit, as Ansible makes group names safe.
pub(super) fn safe(name: &str) -> String {
    let kept =
        |(at, c): (usize, char)| if c == '_' || (c.is_alphanumeric() && (at > 0 || !c.is_numeric())) { c } else { '_' };
    name.chars().enumerate().map(kept).collect()
}

#[cfg(test)]
mod tests {
    use super::safe;

    #[test]
    fn group_names_are_as_ansible_makes_them() {
        assert_eq!(safe("zone_eu-west-1a"), "zone_eu_west_1a");
        assert_eq!(safe("10.0.0.1"), "_0_0_0_1");
        assert_eq!(safe("größe 1"), "größe_1");
        assert_eq!(safe("-x"), "_x");
    }
}
