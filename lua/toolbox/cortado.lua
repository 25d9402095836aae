-- A toolbox: five packages, built from what their authors released, that find each other wherever it is installed.
--
--     cortado build --file lua/toolbox/cortado.lua
--
-- It is a recipe to learn from, and to build for real: the tests of cortado do.

local toolbox = project "toolbox" {
  version = "1.0.0",
  description = "Compression, archives, patterns and a scripting language",
  license = "MIT OR Apache-2.0",
  install_dir = "/opt/toolbox",
  -- Each package finds headers and libraries of those before it, when it is built and when it runs.
  env = with_standard_compiler_flags(),
}

-- The compiler is no part of the product, but what it makes is: with another one, everything is built anew.
local compiler = { "cc --version" }

-- The usual three steps. `DESTDIR` leads `make install` into the stage, and `make` is given its share of the machine;
-- neither has to be said.
local function configure(...)
  local options = table.concat({ "--prefix=@{install_dir}", "--disable-dependency-tracking", ... }, " ")
  return function(t)
    t:command("./configure " .. options)
    t:command "make"
    t:command "make install"
  end
end

local bzip2 = toolbox:task "bzip2" {
  version = "1.0.8",
  source = {
    url = "https://sourceware.org/pub/bzip2/bzip2-1.0.8.tar.gz",
    sha256 = "ab5a03176ee106d3f0fa90e381da478ddae405918153cca248e682cd0c4a2269",
  },
  license = "bzip2-1.0.6",
  license_files = { "LICENSE" },
  probes = compiler,
  build = function(t)
    -- Its makefiles know neither DESTDIR nor the environment's CFLAGS. Both libraries are made of the same objects.
    local flags = [[CC=cc CFLAGS="$CFLAGS -fPIC -D_FILE_OFFSET_BITS=64"]]
    t:patch "patches/bzip2-install.patch"
    t:command("make -f Makefile-libbz2_so " .. flags)
    t:command("make install PREFIX=@{stage_install_dir} " .. flags)
    t:copy("libbz2.so.1.0*", "@{stage_install_dir}/lib/")
    t:link("libbz2.so.1.0", "@{stage_install_dir}/lib/libbz2.so")
  end,
}

local xz = toolbox:task "xz" {
  version = "5.4.1",
  source = {
    url = "https://tukaani.org/xz/xz-5.4.1.tar.xz",
    sha256 = "5d9827aa1875b21c288f78864bb26d2650b436ea8d2cad364e4921eb6266a5a5",
  },
  -- The library and the programs; the scripts around them.
  license = "LicenseRef-public-domain AND GPL-2.0-or-later",
  license_files = { "COPYING", "COPYING.GPLv2" },
  probes = compiler,
  build = configure("--disable-nls", "--disable-doc"),
}

toolbox:task "lua" {
  version = "5.4.4",
  source = {
    url = "https://www.lua.org/ftp/lua-5.4.4.tar.gz",
    sha256 = "164c7849653b80ae67bec4b7473b884bf5cc8d2dca05653475ec2ed27b9ebf61",
  },
  license = "MIT",
  license_files = { "doc/readme.html" },
  probes = compiler,
  build = function(t)
    -- Where `require` looks for modules.
    t:command [[sed -i 's|"/usr/local/"|"@{install_dir}/"|' src/luaconf.h]]
    t:command [[make linux CC="cc -std=gnu99" MYCFLAGS="$CFLAGS" MYLDFLAGS="$LDFLAGS"]]
    t:command "make install INSTALL_TOP=@{stage_install_dir} INSTALL_MAN=@{stage_install_dir}/share/man/man1"
  end,
}

toolbox:task "pcre2" {
  version = "10.42",
  source = {
    url = "https://github.com/PCRE2Project/pcre2/releases/download/pcre2-10.42/pcre2-10.42.tar.gz",
    sha256 = "c33b418e3b936ee3153de2c61cc638e7e4fe3156022a5c77d0711bcbb9d64f1f",
  },
  license = "BSD-3-Clause",
  license_files = { "LICENCE" },
  depends_on = { bzip2 },
  probes = compiler,
  build = configure "--enable-pcre2grep-libbz2",
}

toolbox:task "libarchive" {
  version = "3.6.2",
  source = {
    url = "https://libarchive.org/downloads/libarchive-3.6.2.tar.xz",
    sha256 = "9e2c1b80d5fbe59b61308fdfab6c79b5021d7ff4ff2489fb12daf0a96a83551d",
  },
  license = "BSD-2-Clause AND BSD-3-Clause",
  license_files = { "COPYING" },
  depends_on = { bzip2, xz },
  probes = compiler,
  -- What it would use if the machine happened to have it, the product does without on every machine.
  build = configure(
    "--without-zlib",
    "--without-zstd",
    "--without-lz4",
    "--without-libb2",
    "--without-openssl",
    "--without-xml2",
    "--without-expat",
    "--without-iconv",
    "--disable-acl",
    "--disable-xattr"
  ),
}
