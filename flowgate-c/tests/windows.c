/*
 * The gate on a sensor's samples as a C program: pushes the included samples one by one and prints the raw numbers, one
 * window a line, then tries everything that a program can get wrong. The same source on a host and on a board.
 *
 * Built with MODEL and SAMPLES naming files to include.
 */
#include "program.h"

INCLUDE(samples, SAMPLES);

#define MOST_CHANNELS 16

/* The next sample of the file, whose values are little-endian. */
static void read_sample(const uint8_t *from, size_t channels, int16_t *sample) {
    for (size_t i = 0; i < channels; i++) sample[i] = (int16_t)(from[2 * i] | from[2 * i + 1] << 8);
}

static const char *const decisions[] = {" reject", " accept", " invalid"};
static const char *const faults[] = {"\n", " stuck ", " saturated "};

static void put_window(const flowgate *gate, flowgate_decision decision) {
    flowgate_scores scores;
    flowgate_fault fault;
    expect(FLOWGATE_OK, flowgate_last_scores(gate, &scores), "scores");
    expect(FLOWGATE_OK, flowgate_last_fault(gate, &fault), "fault");
    put_number(scores.log_prob_raw);
    put(" ");
    put_number(scores.code_length_raw);
    put(" ");
    put_number(scores.score_raw);
    put(decisions[decision]);
    put(faults[fault.kind]);
    if (fault.kind == FLOWGATE_NO_FAULT) return;
    put_number(fault.channel);
    put("\n");
}

/* Decides on every window; how many there were. */
static size_t push_all(flowgate *gate, size_t channels) {
    int16_t sample[MOST_CHANNELS];
    flowgate_decision decision;
    size_t windows = 0;
    for (const uint8_t *at = samples; at + 2 * channels <= samples_end; at += 2 * channels) {
        read_sample(at, channels, sample);
        flowgate_status status = flowgate_push(gate, sample, channels, &decision);
        if (status == FLOWGATE_PENDING) continue;
        expect(FLOWGATE_OK, status, "push");
        windows++;
        put_window(gate, decision);
    }
    return windows;
}

/* After a restart the next window is due when all of its samples are new. */
static void restart(flowgate *gate, const flowgate_window *window) {
    const int16_t still[MOST_CHANNELS] = {0};
    flowgate_decision decision;
    expect(FLOWGATE_OK, flowgate_restart_window(gate), "restart");
    for (size_t i = 1; i < window->samples; i++)
        expect(FLOWGATE_PENDING, flowgate_push(gate, still, window->channels, &decision), "push after a restart");
    expect(FLOWGATE_OK, flowgate_push(gate, still, window->channels, &decision), "a whole window after a restart");
}

static void misuse(flowgate *gate, size_t model_len, const flowgate_window *window) {
    const int16_t sample[MOST_CHANNELS] = {0};
    const size_t channels = window->channels;
    flowgate_decision decision;
    flowgate_window shape;
    flowgate_fault fault;
    int16_t converted;
    expect(FLOWGATE_NULL_POINTER, flowgate_windows(NULL, model_len, &shape), "windows of no model");
    expect(FLOWGATE_NULL_POINTER, flowgate_windows(model, model_len, NULL), "windows to nowhere");
    expect(FLOWGATE_MODEL_REFUSED, flowgate_windows(model, model_len - 1, &shape), "windows of a truncated model");
    expect(FLOWGATE_NULL_POINTER, flowgate_push(NULL, sample, channels, &decision), "push without a gate");
    expect(FLOWGATE_NULL_POINTER, flowgate_push(gate, NULL, channels, &decision), "push nothing");
    expect(FLOWGATE_NULL_POINTER, flowgate_push(gate, sample, channels, NULL), "push to nowhere");
    expect(FLOWGATE_CHANNELS, flowgate_push(gate, sample, channels + 1, &decision), "too many channels");
    expect(FLOWGATE_CHANNELS, flowgate_push(gate, sample, 0, &decision), "no channels");
    expect(FLOWGATE_MISALIGNED,
           flowgate_push(gate, (const int16_t *)(const void *)(memory + 1), channels, &decision), "misaligned samples");
    expect(FLOWGATE_NULL_POINTER, flowgate_restart_window(NULL), "restart without a gate");
    expect(FLOWGATE_NULL_POINTER, flowgate_last_fault(gate, NULL), "fault to nowhere");
    expect(FLOWGATE_NULL_POINTER, flowgate_last_fault(NULL, &fault), "fault without a gate");
    expect(FLOWGATE_NULL_POINTER, flowgate_sample(gate, 0, 0.0f, NULL), "sample to nowhere");
    expect(FLOWGATE_CHANNELS, flowgate_sample(gate, channels, 0.0f, &converted), "sample of no channel");
    expect(FLOWGATE_INPUT_NOT_FINITE, flowgate_sample(gate, 0, __builtin_nanf(""), &converted), "sample of a NaN");
    expect(FLOWGATE_OK, flowgate_sample(gate, 0, __builtin_inff(), &converted), "sample beyond all");
    if (converted != INT16_MAX) expect(FLOWGATE_OK, FLOWGATE_CHANNELS, "a sample beyond all is the greatest");
}

int main(void) {
    const size_t model_len = (size_t)(model_end - model);
    flowgate_needs needs = {0, 0};
    flowgate_window window = {0, 0, 0, 0};
    flowgate_fault fault;
    flowgate *gate = NULL;
    expect(FLOWGATE_OK, flowgate_need(model, model_len, &needs), "need");
    expect(FLOWGATE_OK, flowgate_windows(model, model_len, &window), "windows");
    if (needs.memory > sizeof memory || window.channels > MOST_CHANNELS) {
        put("FAILED the model needs more memory than this program has\n");
        return leave(1);
    }
    expect(FLOWGATE_OK, flowgate_open(memory, needs.memory, model, model_len, &gate), "open");
    if (gate == NULL) return leave(1);
    expect(FLOWGATE_NOTHING_DECIDED, flowgate_last_fault(gate, &fault), "fault before a decision");
    put(flowgate_model_error(model, model_len));
    put("\n");
    if (push_all(gate, window.channels) == 0) expect(FLOWGATE_OK, FLOWGATE_PENDING, "no window was due");
    restart(gate, &window);
    misuse(gate, model_len, &window);
    put(failures == 0 ? "done\n" : "FAILED\n");
    return leave(failures != 0);
}
