"""Settings of Packer's "amazon-ebs" that are refused, each with the reason."""

from __future__ import annotations

_SHARING = "An image is made in one region for one account; share or copy it when it is there."
_SPOT = "The instance is one that is paid for as it runs: one that is taken away ends the build."
_TUNNEL = "The instance is reached over the network, not through Amazon's session manager."
_LOOK_UP = "Only source images are looked up by filters; name the id."
_ACCESS = "Credentials are keys, a profile, or what boto3 finds; a profile can assume a role by itself."

_REASONS: dict[str, tuple[str, ...]] = {
    _SHARING: (
        "ami_groups", "ami_org_arns", "ami_ou_arns", "ami_product_codes", "ami_regions", "ami_users",
        "deprecate_at", "region_kms_key_ids", "skip_save_build_region", "snapshot_groups", "snapshot_users",
    ),
    _SPOT: (
        "block_duration_minutes", "fleet_tag", "fleet_tags", "spot_instance_types", "spot_price",
        "spot_price_auto_product", "spot_tag", "spot_tags",
    ),
    _TUNNEL: ("pause_before_ssm", "session_manager_port"),
    _LOOK_UP: ("security_group_filter", "subnet_filter", "vpc_filter"),
    _ACCESS: ("assume_role", "assume_role_with_web_identity", "mfa_code", "vault_aws_engine"),
    "No role is made for a build; name one that is there in iam_instance_profile.": (
        "temporary_iam_instance_profile_policy_document",
    ),
    "The password of Windows is set by user_data and said in winrm_password.": ("windows_password_timeout",),
    "It changes the image after it was registered, which a simulated EC2 cannot show to be right.": (
        "boot_mode", "ena_support", "encrypt_boot", "imds_support", "kms_key_id", "sriov_support",
        "tpm_support", "uefi_data",
    ),
    "It is not passed on to the instance.": (
        "capacity_reservation_group_arn", "capacity_reservation_id", "capacity_reservation_preference",
        "enable_nitro_enclave", "enable_t2_unlimited", "enable_unlimited_credits", "host_id",
        "host_resource_group_arn", "license_specifications", "metadata_options", "placement", "tenancy",
    ),
    "Messages of Amazon are shown as they come.": ("decode_authorization_messages",),
}  # fmt: skip

UNSUPPORTED = {name: why for why, names in _REASONS.items() for name in names}
"""The reason by the name of the setting."""
