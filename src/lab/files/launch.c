/* Starts the ClickHouse that the Python wheel chdb carries, without Python: the library exports ClickHouse's own `main`.
   The data symbols below stand in for an interpreter's; function symbols are bound lazily and never called. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
char PyBool_Type[512], PyByteArray_Type[512], PyCapsule_Type[512], PyDict_Type[512], PyExc_ImportError[512],
    PyExc_RuntimeError[512], PyExc_SystemError[512], PyExc_TypeError[512], PyExc_ValueError[512], PyFloat_Type[512],
    PyFrozenSet_Type[512], PyMemoryView_Type[512], PySet_Type[512], _Py_FalseStruct[512], _Py_NoneStruct[512],
    _Py_TrueStruct[512];
int main(int argc, char **argv) {
    const char *library = getenv("CLICKHOUSE_SO");
    if (!library) library = "/opt/clickhouse/chdb/_chdb.abi3.so";
    void *handle = dlopen(library, RTLD_LAZY | RTLD_LOCAL);
    if (!handle) {
        fprintf(stderr, "%s\n", dlerror());
        return 127;
    }
    int (*entry)(int, char **) = (int (*)(int, char **))dlsym(handle, "main");
    return entry ? entry(argc, argv) : 127;
}
