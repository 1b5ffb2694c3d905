//! 300 instances in two regions of moto's EC2.
