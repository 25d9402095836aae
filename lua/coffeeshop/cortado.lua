-- The coffeeshop: a small product made of four tasks, built in seconds and without the network.
--
--     cortado build -f lua/coffeeshop/cortado.lua --install-dir /tmp/coffeeshop
--     /tmp/coffeeshop/bin/open
--
-- Run it twice and the second run does nothing. Change a comment in beans/beans.c and `beans` is built again, and
-- with it everything that depends on it, but not `menu`. docs/recipes.md explains every word.

local shop = project "coffeeshop" {
  version = "1.0.0",
  description = "Coffee, from bean to cup",
  maintainer = "The coffeeshop <shop@coffeeshop.example>",
  license = "MIT",

  -- Where the product lives at run time. It counts into every key, since programs may have it compiled in. A relative
  -- path lies beside this file; `--install-dir` overrides it.
  install_dir = "out",
}

-- A recipe is a program: what several tasks share is said once.
local compiler = "cc --version"

-- A static library. Its source is a directory next to this file, and the content of every file in it counts.
shop:task "beans" {
  version = "1.2.0",
  source = { path = "beans", exclude = { "**/*.o", "**/*.a" } },
  license = "MIT",
  license_files = { "COPYING" }, -- installed as LICENSES/beans/COPYING
  probes = { compiler }, -- another compiler is another key
  build = function(t)
    -- Steps are queued here and run later, in order, only if this task has to be built. A text of several lines stops
    -- at the first that fails.
    t:command [[
      cc -O2 -c beans.c -o beans.o
      ar rcs libbeans.a beans.o
    ]]
    -- Nothing is installed directly: a task fills a stage, which is packed, cached, and then installed as a whole.
    -- `@{stage_install_dir}` is the install directory inside that stage.
    t:copy("libbeans.a", "@{stage_install_dir}/lib/")
    t:copy("beans.h", "@{stage_install_dir}/include/")
  end,
}

-- A program that uses the library. `beans` is installed before this task starts, and its key counts into this one's.
shop:task "roaster" {
  version = "0.9.1",
  depends_on = { "beans" },
  source = { path = "roaster", exclude = { "**/*.o" } },
  license = "MIT",
  license_files = { "COPYING" },
  probes = { compiler },
  -- Flags that find headers and libraries of this product, both now and at run time.
  env = with_standard_compiler_flags { CFLAGS = "-O2 -I@{install_dir}/include" },
  build = function(t)
    t:command 'cc $CFLAGS roaster.c -o roaster $LDFLAGS -lbeans'
    -- `make install` heeds DESTDIR, which is set to the stage; this Makefile shows the usual way.
    t:command 'make install PREFIX="@{install_dir}"'
  end,
}

-- Files made from a template and by a block. Data is plain Lua.
local drinks = {
  { name = "espresso", grams = 18, price = 2.40 },
  { name = "cortado", grams = 18, price = 3.10 },
  { name = "lungo", grams = 20, price = 2.60 },
}

shop:task "menu" {
  version = "2026.1",
  license = "CC0-1.0",
  license_files = { "@{recipe_dir}/menu/COPYING" }, -- a file of the recipe: this task has no source
  build = function(t)
    t:template("menu/menu.txt.j2", "@{stage_install_dir}/share/menu.txt", {
      variables = { drinks = drinks, title = "Menu" },
    })
    -- A block is code that runs as a step. Its text counts into the key, so it has to say everything itself: what it
    -- needs from outside is handed over as data, in `vars`.
    t:block("price list", { drinks = drinks }, function(t, vars)
      local lines = {}
      for _, drink in ipairs(vars.drinks) do
        lines[#lines + 1] = ("%s;%.2f"):format(drink.name, drink.price)
      end
      t:write("@{stage_install_dir}/share/prices.csv", table.concat(lines, "\n") .. "\n", "644")
    end)
  end,
}

-- The door: a script that ties the product together. `cache = false` keeps it out of the cache; it is quicker made than
-- fetched, and installs directly.
shop:task "shop" {
  version = "1.0.0",
  depends_on = { "roaster", "menu" },
  license = "MIT",
  cache = false,
  build = function(t)
    t:template({ text = "#!/bin/sh\ncat '{{ menu }}'\nexec '{{ roaster }}' \"$@\"\n" }, "@{install_dir}/bin/open", {
      mode = "755",
      variables = { menu = "@{install_dir}/share/menu.txt", roaster = "@{install_dir}/bin/roaster" },
    })
    t:link("open", "@{install_dir}/bin/coffee")
    t:emit "the coffeeshop is open: @{install_dir}/bin/open"
  end,
}
