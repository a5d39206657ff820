"""The one bridge to rclpy."""
