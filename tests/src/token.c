// A PKCS#11 module for tests: the one that $ASSAY_TEST_MODULE names, but for what the file $ASSAY_TEST_TOKEN says at
// the moment. Behind the name of that file, with .calls, stands a letter for each start (i) and login (l).
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long ul;
typedef ul (*any)(void);

// CK_FUNCTION_LIST of PKCS#11 2.40: a version, and 68 functions in the order of the standard.
struct list {
    unsigned char version[2];
    any calls[68];
};

static struct list real, ours;

static int is(const char *word) {
    char said[16] = "";
    FILE *file = fopen(getenv("ASSAY_TEST_TOKEN"), "r");
    if (!file) return 0;
    if (!fgets(said, sizeof said, file)) said[0] = 0;
    fclose(file);
    return !strcmp(said, word);
}

static void count(char letter) {
    char path[4096];
    snprintf(path, sizeof path, "%s.calls", getenv("ASSAY_TEST_TOKEN"));
    FILE *file = fopen(path, "a");
    if (!file) return;
    fputc(letter, file);
    fclose(file);
}

static ul initialize(void *arguments) {
    count('i');
    return ((ul (*)(void *))real.calls[0])(arguments);
}

static ul slots(unsigned char present, ul *slots, ul *number) {
    if (is("gone")) {
        *number = 0;
        return 0;
    }
    return ((ul (*)(unsigned char, ul *, ul *))real.calls[4])(present, slots, number);
}

static ul token(ul slot, unsigned char *info) {
    ul result = ((ul (*)(ul, unsigned char *))real.calls[6])(slot, info);
    // Behind label, manufacturer, model and serial number.
    if (is("locked")) *(ul *)(info + 96) |= 0x40000;
    if (is("last")) *(ul *)(info + 96) |= 0x20000;
    return result;
}

static ul login(ul session, ul user, unsigned char *pin, ul length) {
    count('l');
    return ((ul (*)(ul, ul, unsigned char *, ul))real.calls[18])(session, user, pin, length);
}

static ul find(ul session, ul *objects, ul most, ul *number) {
    ul result = ((ul (*)(ul, ul *, ul, ul *))real.calls[27])(session, objects, most, number);
    if (is("lost")) *number = 0;
    return result;
}

static ul begin(ul session, void *mechanism, ul key) {
    static int ended = 0;
    while (is("hang")) usleep(10000);
    if (is("once") && !ended++) return 0xb3;       // CKR_SESSION_HANDLE_INVALID
    if (is("gone")) return 0x32;                   // CKR_DEVICE_REMOVED
    if (is("locked") || is("last")) return 0x101;  // CKR_USER_NOT_LOGGED_IN
    return ((ul (*)(ul, void *, ul))real.calls[42])(session, mechanism, key);
}

static ul sign(ul session, unsigned char *text, ul length, unsigned char *signature, ul *size) {
    ul result = ((ul (*)(ul, unsigned char *, ul, unsigned char *, ul *))real.calls[43])(
        session, text, length, signature, size);
    if (signature && is("wrong")) signature[7] ^= 1;
    if (signature && is("short")) *size = 63;
    return result;
}

ul C_GetFunctionList(struct list **list) {
    void *module = dlopen(getenv("ASSAY_TEST_MODULE"), RTLD_NOW);
    ul (*get)(struct list **) = module ? (ul (*)(struct list **))dlsym(module, "C_GetFunctionList") : 0;
    struct list *found;
    if (!get || get(&found)) return 5;  // CKR_GENERAL_ERROR
    ours = real = *found;
    ours.calls[0] = (any)initialize;
    ours.calls[4] = (any)slots;
    ours.calls[6] = (any)token;
    ours.calls[18] = (any)login;
    ours.calls[27] = (any)find;
    ours.calls[42] = (any)begin;
    ours.calls[43] = (any)sign;
    *list = &ours;
    return 0;
}
