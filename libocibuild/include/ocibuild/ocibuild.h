/* ocibuild/ocibuild.h — all of libocibuild. */
#ifndef OCIBUILD_OCIBUILD_H
#define OCIBUILD_OCIBUILD_H

#include <ocibuild/build.h>
#include <ocibuild/check.h>
#include <ocibuild/context.h>
#include <ocibuild/error.h>
#include <ocibuild/image.h>
#include <ocibuild/registry.h>
#include <ocibuild/run.h>
#include <ocibuild/store.h>
#include <ocibuild/transfer.h>

#endif
