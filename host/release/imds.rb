# The formula. host/release/homebrew.sh fills in address, version and digests of a release.
class Imds < Formula
  desc "EC2 instance metadata service for machines that are no EC2 instances"
  homepage "IMDS_HOME"
  version "IMDS_VERSION"
  license "Apache-2.0"

  on_macos do
    url "IMDS_RELEASE/imds-host-IMDS_VERSION.crate"
    sha256 "IMDS_SOURCE_SHA256"
    depends_on "rust" => :build
  end

  on_linux do
    on_intel do
      url "IMDS_RELEASE/imds-IMDS_VERSION-x86_64-unknown-linux-musl.tar.gz"
      sha256 "IMDS_INTEL_SHA256"
    end
    on_arm do
      url "IMDS_RELEASE/imds-IMDS_VERSION-aarch64-unknown-linux-musl.tar.gz"
      sha256 "IMDS_ARM_SHA256"
    end
  end

  def install
    if OS.mac?
      # A crate is an archive by another name: where Homebrew has not unpacked it, tar does.
      crate = Dir["*.crate"].first
      system "tar", "-xzf", crate, "--strip-components", "1" if crate
      system "cargo", "install", *std_cargo_args
      system bin/"imds", "man", "man"
    else
      bin.install "imds"
    end
    man1.install Dir["man/*.1"]
    generate_completions_from_executable(bin/"imds", "completions", shells: [:bash, :zsh, :fish])
  end

  test do
    asked = "#{bin}/imds get meta-data/instance-type"
    assert_equal "m7g.large", shell_output("#{bin}/imds run --set instance-type=m7g.large -- #{asked}").chomp
  end
end
