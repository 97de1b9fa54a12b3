/*
 * The gate as a C program: decides on the included images and prints the raw numbers, one image a line, then tries
 * everything that a program can get wrong. The same source on a host and on a board; what differs is put() and leave().
 *
 * Built with MODEL and IMAGES naming files to include.
 */
#include "program.h"

INCLUDE(images, IMAGES);

static void decide_on_all(flowgate *gate, size_t len) {
    flowgate_scores scores;
    expect(FLOWGATE_NOTHING_DECIDED, flowgate_last_scores(gate, &scores), "scores before a decision");
    for (const uint8_t *image = images; image + len <= images_end; image += len) {
        flowgate_decision decision;
        expect(FLOWGATE_OK, flowgate_decide(gate, image, len, &decision), "decide");
        expect(FLOWGATE_OK, flowgate_last_scores(gate, &scores), "scores");
        put_number(scores.log_prob_raw);
        put(" ");
        put_number(scores.code_length_raw);
        put(" ");
        put_number(scores.score_raw);
        put(decision == FLOWGATE_ACCEPT ? " accept\n" : " reject\n");
    }
}

static void misuse_open(size_t model_len, size_t need) {
    flowgate *gate = NULL;
    flowgate_needs needs;
    expect(FLOWGATE_NULL_POINTER, flowgate_need(NULL, model_len, &needs), "need of no model");
    expect(FLOWGATE_NULL_POINTER, flowgate_need(model, model_len, NULL), "need to nowhere");
    expect(FLOWGATE_MODEL_REFUSED, flowgate_need(model, model_len - 1, &needs), "need of a truncated model");
    expect(FLOWGATE_MODEL_REFUSED, flowgate_need(model, 0, &needs), "need of nothing");
    expect(FLOWGATE_MODEL_REFUSED, flowgate_need(images, 64, &needs), "need of another file");
    expect(FLOWGATE_NULL_POINTER, flowgate_open(NULL, need, model, model_len, &gate), "open without memory");
    expect(FLOWGATE_NULL_POINTER, flowgate_open(memory, need, NULL, model_len, &gate), "open without a model");
    expect(FLOWGATE_NULL_POINTER, flowgate_open(memory, need, model, model_len, NULL), "open to nowhere");
    expect(FLOWGATE_MISALIGNED, flowgate_open(memory + 4, need, model, model_len, &gate), "open in misaligned memory");
    expect(FLOWGATE_MEMORY_TOO_SMALL, flowgate_open(memory, need - 1, model, model_len, &gate), "open in too little");
    expect(FLOWGATE_MEMORY_TOO_SMALL, flowgate_open(memory, 0, model, model_len, &gate), "open in nothing");
    expect(FLOWGATE_MODEL_REFUSED, flowgate_open(memory, need, model, model_len - 1, &gate), "open a truncated model");
    expect(FLOWGATE_OVERLAP, flowgate_open(memory, need, memory + 16, model_len, &gate), "open a model in the memory");
    if (gate != NULL) expect(FLOWGATE_OK, FLOWGATE_NULL_POINTER, "a refused open wrote a gate");
}

static void misuse_gate(flowgate *gate, size_t len) {
    flowgate_decision decision;
    flowgate_scores scores;
    flowgate_window window;
    const int16_t sample[1] = {0};
    const uint8_t *image = images;
    expect(FLOWGATE_NULL_POINTER, flowgate_decide(NULL, image, len, &decision), "decide without a gate");
    expect(FLOWGATE_NULL_POINTER, flowgate_decide(gate, NULL, len, &decision), "decide without an input");
    expect(FLOWGATE_NULL_POINTER, flowgate_decide(gate, image, len, NULL), "decide to nowhere");
    expect(FLOWGATE_INPUT_LENGTH, flowgate_decide(gate, image, len - 1, &decision), "a short input");
    expect(FLOWGATE_INPUT_LENGTH, flowgate_decide(gate, image, (size_t)-1, &decision), "an endless input");
    expect(FLOWGATE_INPUT_LENGTH, flowgate_decide_f32(gate, (const float *)(const void *)memory, len, &decision),
           "measurements for a model of images");
    expect(FLOWGATE_MISALIGNED, flowgate_decide_i16(gate, (const int16_t *)(const void *)(memory + 1), len, &decision),
           "misaligned samples");
    expect(FLOWGATE_MISALIGNED, flowgate_decide((flowgate *)(void *)(memory + 4), image, len, &decision),
           "a misaligned gate");
    expect(FLOWGATE_NO_WINDOWS, flowgate_windows(model, (size_t)(model_end - model), &window), "windows of images");
    expect(FLOWGATE_NO_WINDOWS, flowgate_push(gate, sample, 1, &decision), "a sample for a model of images");
    expect(FLOWGATE_NULL_POINTER, flowgate_last_scores(gate, NULL), "scores to nowhere");
    expect(FLOWGATE_NULL_POINTER, flowgate_last_scores(NULL, &scores), "scores without a gate");
    expect(FLOWGATE_NULL_POINTER, flowgate_self_test(NULL, NULL), "self-test without a gate");
    expect(FLOWGATE_OK, flowgate_self_test(gate, NULL), "self-test without a count");
    uint8_t *beginning = (uint8_t *)(void *)gate;
    for (size_t i = 0; i < 16; i++) beginning[i] = 0;
    expect(FLOWGATE_NOT_A_GATE, flowgate_decide(gate, image, len, &decision), "a gate that was written over");
}

/* Every byte of a damaged model is noticed; the copy stands behind the memory that the gate needs. */
static void damage(size_t model_len, size_t need) {
    uint8_t *copy = memory + ((need + 15) & ~(size_t)15);
    if (need + 16 + model_len > sizeof memory) return;
    for (size_t i = 0; i < model_len; i++) copy[i] = model[i];
    flowgate *gate = NULL;
    for (size_t at = 0; at < model_len; at += 1 + model_len / 64) {
        copy[at] ^= 1;
        expect(FLOWGATE_MODEL_REFUSED, flowgate_open(memory, need, copy, model_len, &gate), "a damaged model");
        copy[at] ^= 1;
    }
}

int main(void) {
    const size_t model_len = (size_t)(model_end - model);
    flowgate_needs needs = {0, 0};
    flowgate *gate = NULL;
    uint32_t vectors = 0;
    expect(FLOWGATE_OK, flowgate_need(model, model_len, &needs), "need");
    if (needs.memory > sizeof memory) {
        put("FAILED the model needs more memory than this program has\n");
        return leave(1);
    }
    misuse_open(model_len, needs.memory);
    damage(model_len, needs.memory);
    expect(FLOWGATE_OK, flowgate_open(memory, needs.memory, model, model_len, &gate), "open");
    put(flowgate_model_error(model, model_len));
    put("\n");
    if (gate == NULL) return leave(1);
    expect(FLOWGATE_OK, flowgate_self_test(gate, &vectors), "self-test");
    if (vectors == 0) expect(FLOWGATE_OK, FLOWGATE_SELF_TEST_FAILED, "a self-test of no vectors");
    decide_on_all(gate, needs.input_len);
    misuse_gate(gate, needs.input_len);
    put(failures == 0 ? "done\n" : "FAILED\n");
    return leave(failures != 0);
}
