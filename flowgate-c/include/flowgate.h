/*
 * flowgate: is this input like the data the device was built for?
 *
 * The exact log-likelihood of a normalizing flow, in integers, with no heap: the same bits as the Rust crate
 * flow-infer on every core. The caller owns all memory; this library keeps none and has no global state.
 *
 *     static const uint8_t model[] = { ... };               // gate.flow
 *     flowgate_needs needs;
 *     flowgate *gate;
 *     if (flowgate_need(model, sizeof model, &needs) != FLOWGATE_OK) ...
 *     if (flowgate_open(memory, sizeof memory, model, sizeof model, &gate) != FLOWGATE_OK) ...
 *     flowgate_decision decision;
 *     if (flowgate_decide(gate, frame, sizeof frame, &decision) == FLOWGATE_OK && decision == FLOWGATE_ACCEPT) ...
 *
 * Threads: one gate is used by one thread (or interrupt level) at a time; two gates never share anything but the
 * model, which is only read.
 */
#ifndef FLOWGATE_H
#define FLOWGATE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Alignment that never fails for the memory of a gate. */
#define FLOWGATE_ALIGNMENT 16

/* What a call says. Values never change their meaning; new ones may be added. */
typedef enum flowgate_status {
    FLOWGATE_OK = 0,
    /* A pointer that must not be null is null. */
    FLOWGATE_NULL_POINTER = 1,
    /* The memory is not aligned to FLOWGATE_ALIGNMENT, or another pointer not to its type. */
    FLOWGATE_MISALIGNED = 2,
    /* The memory is smaller than flowgate_need() says. */
    FLOWGATE_MEMORY_TOO_SMALL = 3,
    /* The model and the memory overlap. */
    FLOWGATE_OVERLAP = 4,
    /* What was given as a gate was not made by flowgate_open(), or has been written over. */
    FLOWGATE_NOT_A_GATE = 5,
    /* The bytes are not a .flow file, or a damaged one; flowgate_model_error() says which. */
    FLOWGATE_MODEL_REFUSED = 6,
    /* The model's numbers are floats: this library computes with integers (export --format q8). */
    FLOWGATE_NUMBER_FORMAT = 7,
    /* The model has no calibration: flowgate calibrate. */
    FLOWGATE_NOT_CALIBRATED = 8,
    /* This machine does not reproduce the model's golden vectors. */
    FLOWGATE_SELF_TEST_FAILED = 9,
    /* The input has another length than the model's, or is of another kind (bytes, samples). */
    FLOWGATE_INPUT_LENGTH = 10,
    /* A value of the input is NaN or infinite. */
    FLOWGATE_INPUT_NOT_FINITE = 11,
    /* There are no scores before the first decision. */
    FLOWGATE_NOTHING_DECIDED = 12,
    /* A sample was taken, and no window is due yet: nothing is wrong. */
    FLOWGATE_PENDING = 13,
    /* The model is for no windows of samples. */
    FLOWGATE_NO_WINDOWS = 14,
    /* The sample has another number of channels than the model reads, or there is no such channel. */
    FLOWGATE_CHANNELS = 15
} flowgate_status;

/* What the gate says of an input. */
typedef enum flowgate_decision {
    FLOWGATE_REJECT = 0,
    FLOWGATE_ACCEPT = 1,
    /* Of a window: a channel of the sensor is not in order; flowgate_last_fault() says which. */
    FLOWGATE_INVALID = 2
} flowgate_decision;

/* A model loaded into the caller's memory. Opaque. */
typedef struct flowgate flowgate;

/* What a model needs. */
typedef struct flowgate_needs {
    /* Bytes of memory for flowgate_open(), aligned to FLOWGATE_ALIGNMENT. */
    size_t memory;
    /* Values of one input: bytes of an image, measurements of a vector. */
    size_t input_len;
} flowgate_needs;

/* All scores of one input, in units of 2^-24 nats; higher is more like the training data. */
typedef struct flowgate_scores {
    /* log_prob of the flow. */
    int64_t log_prob_raw;
    /* Code length of the input; 0 where the model has none. */
    int64_t code_length_raw;
    /* The score that decides. */
    int64_t score_raw;
    /* 1 if a latent left its range: such an input is always rejected. */
    uint8_t saturated;
} flowgate_scores;

/* Memory and input of a model. Checks the whole file. */
flowgate_status flowgate_need(const void *model, size_t model_len, flowgate_needs *needs);

/*
 * Loads a model into memory: checks every byte of it, wants a calibration, and reproduces its golden vectors on this
 * core. Model and memory must stay in place while the gate is used; closing is forgetting the pointer.
 */
flowgate_status flowgate_open(void *memory, size_t memory_len, const void *model, size_t model_len, flowgate **gate);

/* Decides on an image: one byte a coordinate, channel by channel, row by row. */
flowgate_status flowgate_decide(flowgate *gate, const uint8_t *input, size_t len, flowgate_decision *decision);

/* Decides on a vector of measurements. */
flowgate_status flowgate_decide_f32(flowgate *gate, const float *input, size_t len, flowgate_decision *decision);

/* Decides on a vector of samples. */
flowgate_status flowgate_decide_i16(flowgate *gate, const int16_t *input, size_t len, flowgate_decision *decision);

/* All scores of the last decided input. */
flowgate_status flowgate_last_scores(const flowgate *gate, flowgate_scores *scores);

/*
 * Samples of a sensor, one at a time, for models that are built of windows (feature `windows`, on by default):
 *
 *     switch (flowgate_push(gate, sample, channels, &decision)) {
 *     case FLOWGATE_PENDING: break;                           // the window is not full yet
 *     case FLOWGATE_OK: alarm(decision != FLOWGATE_ACCEPT);
 *     }
 */

/* The windows that a model is for. */
typedef struct flowgate_window {
    /* Values of a sample, and samples of a window. */
    size_t channels;
    size_t samples;
    /* Samples from one decision to the next. */
    size_t hop;
    /* Samples in a thousand seconds; 0 where the training data did not say. */
    uint32_t rate_millihertz;
} flowgate_window;

/* What is wrong with a channel. */
typedef enum flowgate_fault_kind {
    FLOWGATE_NO_FAULT = 0,
    /* It does not change within the window, as the training data always did. */
    FLOWGATE_STUCK = 1,
    /* An eighth of its samples or more lie at an end of what the sensor can say. */
    FLOWGATE_SATURATED = 2
} flowgate_fault_kind;

typedef struct flowgate_fault {
    flowgate_fault_kind kind;
    /* The first channel that has it, counted from 0. */
    uint32_t channel;
} flowgate_fault;

/* The windows of a model. Checks the whole file. */
flowgate_status flowgate_windows(const void *model, size_t model_len, flowgate_window *window);

/*
 * Takes a sample, one value a channel: FLOWGATE_PENDING until a window is due, then FLOWGATE_OK with the decision about
 * the window that ends with this sample; after the first one, every hop. Where samples were lost, call
 * flowgate_restart_window(): a window has no gap.
 */
flowgate_status flowgate_push(flowgate *gate, const int16_t *sample, size_t channels, flowgate_decision *decision);

/* Forgets the samples that have come: some were lost, or the sensor was switched off. */
flowgate_status flowgate_restart_window(flowgate *gate);

/* The sample of a measurement in the unit of the training data, rounded and held within 16 bits. */
flowgate_status flowgate_sample(const flowgate *gate, size_t channel, float value, int16_t *sample);

/* What was wrong with the sensor in the last window; FLOWGATE_NO_FAULT where every channel is in order. */
flowgate_status flowgate_last_fault(const flowgate *gate, flowgate_fault *fault);

/* Reproduces the golden vectors again (a flash or a RAM that aged); how many there are goes to vectors, if not null. */
flowgate_status flowgate_self_test(flowgate *gate, uint32_t *vectors);

/* A sentence about a status, in static memory; never null. */
const char *flowgate_status_text(flowgate_status status);

/* Why a model is refused, as a sentence in static memory; "sound" if it is not. Never null. */
const char *flowgate_model_error(const void *model, size_t model_len);

#ifdef __cplusplus
}
#endif

#endif
