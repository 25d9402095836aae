#!/bin/sh -e
# The toolbox without an engine: the commands of lua/toolbox/cortado.lua, one after the other.
#
#     toolbox.sh SOURCES PATCHES DIR JOBS
#
# Unpacks the releases of SOURCES below DIR, builds them with JOBS jobs and installs into DIR/install. The environment
# is the one that a step of the recipe has.
sources=$1 patches=$2 dir=$3
install=$dir/install

embedded="-I$install/embedded/include -I$install/include"
CFLAGS="$embedded -O3 -D_FORTIFY_SOURCE=2 -fstack-protector"
CPPFLAGS=$CFLAGS
CXXFLAGS=$CFLAGS
LDFLAGS="-Wl,-rpath,$install/embedded/lib -L$install/embedded/lib -Wl,-rpath,$install/lib -L$install/lib"
LD_RUN_PATH=$install/embedded/lib:$install/lib
PKG_CONFIG_PATH=$install/embedded/lib/pkgconfig:$install/lib/pkgconfig
MAKEFLAGS=-j$4
export CFLAGS CPPFLAGS CXXFLAGS LDFLAGS LD_RUN_PATH PKG_CONFIG_PATH MAKEFLAGS

unpack() {
  rm -rf "$dir/$1"
  mkdir -p "$dir/$1"
  tar -x -f "$sources/$2" -C "$dir/$1" --strip-components=1
  cd "$dir/$1"
}

configure() {
  ./configure --prefix="$install" --disable-dependency-tracking "$@"
  make
  make install
}

unpack bzip2 bzip2-1.0.8.tar.gz
patch -p1 < "$patches/bzip2-install.patch"
make -f Makefile-libbz2_so CC=cc CFLAGS="$CFLAGS -fPIC -D_FILE_OFFSET_BITS=64"
make install PREFIX="$install" CC=cc CFLAGS="$CFLAGS -fPIC -D_FILE_OFFSET_BITS=64"
cp -a libbz2.so.1.0* "$install/lib/"
ln -s libbz2.so.1.0 "$install/lib/libbz2.so"

unpack xz xz-5.4.1.tar.xz
configure --disable-nls --disable-doc

unpack lua lua-5.4.4.tar.gz
sed -i "s|\"/usr/local/\"|\"$install/\"|" src/luaconf.h
make linux CC="cc -std=gnu99" MYCFLAGS="$CFLAGS" MYLDFLAGS="$LDFLAGS"
make install INSTALL_TOP="$install" INSTALL_MAN="$install/share/man/man1"

unpack pcre2 pcre2-10.42.tar.gz
configure --enable-pcre2grep-libbz2

unpack libarchive libarchive-3.6.2.tar.xz
configure --without-zlib --without-zstd --without-lz4 --without-libb2 --without-openssl --without-xml2 --without-expat \
  --without-iconv --disable-acl --disable-xattr
