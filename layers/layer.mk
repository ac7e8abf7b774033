# How `sam build` (BuildMethod: makefile) builds each layer, for any target anywhere: uv takes ready wheels for the version and
# platform named here, by the hashes of requirements.txt. The defaults are what is deployed to AWS; the local stack names its own.
UV ?= uv
PLATFORMA_LAYER_PYTHON ?= 3.13
PLATFORMA_LAYER_PLATFORM ?= aarch64-manylinux_2_28

build-%:
	mkdir -p "$(ARTIFACTS_DIR)/python"
	"$(UV)" pip install --quiet --target "$(ARTIFACTS_DIR)/python" --no-deps --require-hashes --only-binary :all: \
	  --python-version "$(PLATFORMA_LAYER_PYTHON)" --python-platform "$(PLATFORMA_LAYER_PLATFORM)" -r requirements.txt
	rm -rf "$(ARTIFACTS_DIR)/python/bin" "$(ARTIFACTS_DIR)/python/.lock"
# Byte code, valid whatever the time stamps of an unpacked layer are; only where the very Python it is for is at hand.
	if "python$(PLATFORMA_LAYER_PYTHON)" -c "" 2>/dev/null; then \
	  "python$(PLATFORMA_LAYER_PYTHON)" -m compileall -q -j 0 --invalidation-mode unchecked-hash \
	    -s "$(ARTIFACTS_DIR)" -p /opt "$(ARTIFACTS_DIR)/python" || true; fi
